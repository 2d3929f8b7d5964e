// Boot and shutdown of the I/O manager, and its object types.
#include "src/io/internal.h"

POBJECT_TYPE IoFileObjectType;
POBJECT_TYPE IoDriverObjectType;
POBJECT_TYPE IoDeviceObjectType;
NT_EXPORT_DATA(IoFileObjectType)
NT_EXPORT_DATA(IoDriverObjectType)
NT_EXPORT_DATA(IoDeviceObjectType)

namespace nt::io {

State* g_state;

void RemoveDevice(void* object);
void RemoveDriver(void* object);
std::string DescribeThreadIrps(ke::Thread* thread);

namespace {

void ThreadExit(ke::Thread* thread) {
  // The hook outlives this component: threads may end after its shutdown.
  auto* data = static_cast<ThreadIo*>(thread->component_data[kThreadSlot]);
  if (!data || !g_state) return;
  CancelThreadIo(thread);
  {
    LockGuard guard(g_state->database);
    ListRemove(&data->link);
  }
  thread->component_data[kThreadSlot] = nullptr;
  ex::PoolDelete(data);
}

Status CreateTypes() {
  const GENERIC_MAPPING& mapping = *GetFileObjectGenericMapping();
  ob::TypeProcedures file, device, driver, completion;
  file.remove = RemoveFile;
  file.close = CloseFile;
  file.parse = ParseFile;
  file.access_is_fixed = true;
  file.query_name = QueryFileName;
  device.remove = RemoveDevice;
  device.parse = ParseDevice;
  driver.remove = RemoveDriver;
  completion.remove = RemoveCompletionPort;
  NT_TRY(ob::CreateType(u"File", file, mapping, FILE_ALL_ACCESS, &IoFileObjectType));
  NT_TRY(ob::CreateType(u"Device", device, mapping, FILE_ALL_ACCESS, &IoDeviceObjectType));
  NT_TRY(ob::CreateType(u"Driver", driver, &IoDriverObjectType));
  const GENERIC_MAPPING port{READ_CONTROL | 1, READ_CONTROL | 2, READ_CONTROL | SYNCHRONIZE,
                             STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 3};
  return ob::CreateType(u"IoCompletion", completion, port, port.GenericAll, &g_state->completion_type);
}

}  // namespace

Status Boot() {
  CHECK(!g_state);
  g_state = new State;
  ke::InitializeSpinLock(&g_state->vpb_lock);
  ke::InitializeSpinLock(&g_state->cancel_lock);
  for (LIST_ENTRY& head : g_state->file_systems) ListInit(&head);
  ListInit(&g_state->threads);
  ResetStatistics();
  NT_TRY(CreateTypes());
  ke::AddThreadExitHook(ThreadExit);
  ke::SetIrpDescriber(DescribeThreadIrps);
  PnpBoot();
  return RawBoot();
}

void Shutdown() {
  UnloadAllDrivers();
  while (!g_state->drivers.empty()) DeleteDriver(g_state->drivers.back(), true);
  TimersShutdown();
  PnpShutdown();
  ke::SetIrpDescriber(nullptr);
  ke::RemoveThreadExitHook(ThreadExit);
  for (;;) {
    ThreadIo* data = nullptr;
    {
      LockGuard guard(g_state->database);
      if (ListEmpty(&g_state->threads)) break;
      data = CONTAINING_RECORD(g_state->threads.Flink, ThreadIo, link);
      ListRemove(&data->link);
    }
    data->thread->component_data[kThreadSlot] = nullptr;
    ex::PoolDelete(data);
  }
  for (IrpCache& cache : g_state->irps) {
    LockGuard guard(cache.lock);
    while (IRP* irp = cache.first) {
      cache.first = reinterpret_cast<IRP*>(irp->Tail.Overlay.ListEntry.Flink);
      ex::FreePool(irp);
    }
  }
  delete std::exchange(g_state, nullptr);
}

}  // namespace nt::io

// I/O completion ports: a KQUEUE whose entries say which request ended. Type IoCompletion.
#include "src/io/internal.h"

namespace nt::io {
namespace {

struct Packet {
  LIST_ENTRY entry;
  void* key;
  void* apc_context;
  IO_STATUS_BLOCK result;
};

Status ReferencePort(HANDLE handle, ACCESS_MASK access, KPROCESSOR_MODE mode, Ref<KQUEUE>* port) {
  return ob::ReferenceObjectByHandle(handle, access, g_state->completion_type, mode, port->out(), nullptr);
}

}  // namespace

void RemoveCompletionPort(void* object) {
  PLIST_ENTRY first = ke::RundownQueue(static_cast<KQUEUE*>(object));
  if (!first) return;
  PLIST_ENTRY entry = first;
  do {
    PLIST_ENTRY next = entry->Flink;
    ex::FreePool(CONTAINING_RECORD(entry, Packet, entry));
    entry = next;
  } while (entry != first);
}

Status QueueMiniPacket(KQUEUE* port, void* key, void* apc_context, NTSTATUS status, ULONG_PTR information) {
  auto* packet = ex::PoolNew<Packet>('pcoI');
  if (!packet) return STATUS_INSUFFICIENT_RESOURCES;
  packet->key = key;
  packet->apc_context = apc_context;
  packet->result.Status = status;
  packet->result.Information = information;
  ke::InsertQueue(port, &packet->entry);
  return STATUS_SUCCESS;
}

Status NtCreateIoCompletion(HANDLE* handle, ACCESS_MASK access, OBJECT_ATTRIBUTES* attributes, ULONG threads) {
  void* body;
  NT_TRY(ob::CreateObject(g_state->completion_type, sizeof(KQUEUE), &body));
  ke::InitializeQueue(static_cast<KQUEUE*>(body), threads);
  HANDLE made = nullptr;
  Status status = ob::InsertObject(body, attributes, access, &made);
  ob::DereferenceObject(body);
  if (!status.ok()) return status;
  return Guarded([&] { ldr::WriteUser(handle, made); });
}

Status NtSetIoCompletion(HANDLE handle, void* key, void* apc_context, NTSTATUS status, ULONG_PTR information) {
  Ref<KQUEUE> port;
  NT_TRY(ReferencePort(handle, 2, PreviousMode(), &port));
  return QueueMiniPacket(port.get(), key, apc_context, status, information);
}

Status NtRemoveIoCompletion(HANDLE handle, void** key, void** apc_context, IO_STATUS_BLOCK* iosb, LARGE_INTEGER* timeout) {
  const KPROCESSOR_MODE mode = PreviousMode();
  LARGE_INTEGER interval{};
  NT_TRY(Guarded([&] {
    if (mode != KernelMode) {
      ldr::ProbeForWrite(key, sizeof *key, 8);
      ldr::ProbeForWrite(apc_context, sizeof *apc_context, 8);
      ldr::ProbeForWrite(iosb, sizeof *iosb, 4);
    }
    if (timeout) interval = ldr::ReadUser(timeout);
  }));
  Ref<KQUEUE> port;
  NT_TRY(ReferencePort(handle, 2, mode, &port));
  PLIST_ENTRY entry = ke::RemoveQueue(port.get(), mode, timeout ? &interval : nullptr);
  const auto value = reinterpret_cast<LONG_PTR>(entry);
  if (value == STATUS_TIMEOUT || value == STATUS_USER_APC || value == STATUS_ABANDONED)
    return static_cast<NTSTATUS>(value);
  auto* packet = CONTAINING_RECORD(entry, Packet, entry);
  const Packet copy = *packet;
  ex::FreePool(packet);
  return Guarded([&] {
    ldr::WriteUser(key, copy.key);
    ldr::WriteUser(apc_context, copy.apc_context);
    ldr::WriteUser(iosb, copy.result);
  });
}

}  // namespace nt::io

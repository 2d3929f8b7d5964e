// IRPs: allocation, initialisation, the list of a thread, and who may free one.
//
// IRPs of common sizes come from three short lists, so that steady traffic allocates nothing. A thread-linked IRP may be
// looked at by a canceller on another thread: it pins the IRP under the list's lock, and whoever comes last frees it.
#include <cstring>

#include "src/io/internal.h"

namespace nt::io {
namespace {

constexpr ULONG kIrpTag = ' prI';

int CacheOf(USHORT packet_bytes) {
  for (int i = 0; i < 3; i++)
    if (packet_bytes == IoSizeOfIrp(kIrpCacheStacks[i])) return i;
  return -1;
}

}  // namespace

void InitializeIrp(IRP* irp, USHORT packet_bytes, CCHAR stack_size) {
  std::memset(static_cast<void*>(irp), 0, packet_bytes);
  irp->Type = IO_TYPE_IRP;
  irp->Size = packet_bytes;
  irp->StackCount = stack_size;
  irp->CurrentLocation = static_cast<CHAR>(stack_size + 1);
  irp->ApcEnvironment = OriginalApcEnvironment;
  irp->Tail.Overlay.CurrentStackLocation = reinterpret_cast<IO_STACK_LOCATION*>(irp + 1) + stack_size;
  ListInit(&irp->ThreadListEntry);
}

IRP* AllocateIrp(CCHAR stack_size, bool) {
  int cache = 0;
  while (cache < 3 && kIrpCacheStacks[cache] < stack_size) cache++;
  IRP* irp = nullptr;
  USHORT bytes;
  if (cache < 3) {
    bytes = IoSizeOfIrp(kIrpCacheStacks[cache]);
    IrpCache& list = g_state->irps[cache];
    LockGuard guard(list.lock);
    if ((irp = list.first)) {
      list.first = reinterpret_cast<IRP*>(irp->Tail.Overlay.ListEntry.Flink);
      list.count--;
    }
  } else {
    bytes = IoSizeOfIrp(stack_size);
  }
  if (!irp) irp = static_cast<IRP*>(ex::AllocatePool(NonPagedPoolNx, bytes, kIrpTag));
  if (!irp) return nullptr;
  InitializeIrp(irp, bytes, stack_size);
  irp->AllocationFlags = cache < 3 ? IRP_ALLOCATED_FIXED_SIZE | IRP_LOOKASIDE_ALLOCATION : 0;
  return irp;
}

void FreeIrp(IRP* irp) {
  if (irp->Type != IO_TYPE_IRP)
    ke::BugCheckWithMessage("IoFreeIrp of something that is not an IRP, or of one that was freed before",
                            MULTIPLE_IRP_COMPLETE_REQUESTS, reinterpret_cast<ULONG_PTR>(irp), __LINE__);
  if (!ListEmpty(&irp->ThreadListEntry))
    ke::BugCheckWithMessage("IoFreeIrp of an IRP that is still linked to its thread: the I/O manager frees it",
                            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 1, reinterpret_cast<ULONG_PTR>(irp));
  irp->Type = 0;
  const int cache = irp->AllocationFlags & IRP_LOOKASIDE_ALLOCATION ? CacheOf(irp->Size) : -1;
  if (cache >= 0) {
    IrpCache& list = g_state->irps[cache];
    LockGuard guard(list.lock);
    if (list.count < kIrpCacheDepth) {
      irp->Tail.Overlay.ListEntry.Flink = reinterpret_cast<LIST_ENTRY*>(list.first);
      list.first = irp;
      list.count++;
      return;
    }
  }
  ex::FreePool(irp);
}

void ReuseIrp(IRP* irp, NTSTATUS status) {
  if (!ListEmpty(&irp->ThreadListEntry) || irp->CancelRoutine)
    ke::BugCheckWithMessage("IoReuseIrp of an IRP that is in use", DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x22,
                            reinterpret_cast<ULONG_PTR>(irp));
  const UCHAR flags = irp->AllocationFlags;
  InitializeIrp(irp, irp->Size, irp->StackCount);
  irp->AllocationFlags = flags;
  irp->IoStatus.Status = status;
}

IRP* MakeAssociatedIrp(IRP* master, CCHAR stack_size) {
  IRP* irp = AllocateIrp(stack_size);
  if (!irp) return nullptr;
  irp->Flags |= IRP_ASSOCIATED_IRP;
  irp->Tail.Overlay.Thread = master->Tail.Overlay.Thread;
  irp->AssociatedIrp.MasterIrp = master;
  return irp;
}

// --- the list of a thread -------------------------------------------------------------------------------------------------------

ThreadIo* ThreadData(ke::Thread* thread) {
  auto* data = static_cast<ThreadIo*>(thread->component_data[kThreadSlot]);
  if (data) return data;
  data = ex::PoolNew<ThreadIo>('ThoI');
  CHECK_MSG(data, "no pool for a thread's I/O data");
  data->thread = thread;
  data->device_to_verify = nullptr;
  LockGuard guard(g_state->database);
  ListPushBack(&g_state->threads, &data->link);
  thread->component_data[kThreadSlot] = data;
  return data;
}

void LinkIrp(IRP* irp) {
  ke::Thread* thread = ke::CurrentThread();
  ThreadData(thread);
  irp->Tail.Overlay.Thread = thread->ethread();
  if (irp->Flags & IRP_DEFER_IO_COMPLETION) irp->Reserved = 1;  // nobody else knows it yet
  LockGuard guard(thread->irp_list_lock);
  ListPushFront(&thread->irp_list, &irp->ThreadListEntry);
}

void UnlinkIrp(IRP* irp, ke::Thread* thread) {
  LockGuard guard(thread->irp_list_lock);
  ListRemove(&irp->ThreadListEntry);
}

void QueueThreadIrp(IRP* irp) { LinkIrp(irp); }

void ReleaseIrp(IRP* irp) {
  const USHORT before = __atomic_fetch_or(&irp->Reserved, CheckedState::kReleased, __ATOMIC_ACQ_REL);
  if ((before & CheckedState::kCountMask) == 0) FreeIrp(irp);
}

void PinIrp(IRP* irp) { __atomic_fetch_add(&irp->Reserved, 1, __ATOMIC_ACQ_REL); }
void UnpinIrp(IRP* irp) {
  const USHORT now = __atomic_sub_fetch(&irp->Reserved, 1, __ATOMIC_ACQ_REL);
  if ((now & (CheckedState::kReleased | CheckedState::kCountMask)) == CheckedState::kReleased) FreeIrp(irp);
}

void AbandonIrp(IRP* irp) {
  if (irp->Flags & IRP_DEALLOCATE_BUFFER) ex::FreePool(irp->AssociatedIrp.SystemBuffer);
  while (MDL* mdl = irp->MdlAddress) {
    irp->MdlAddress = mdl->Next;
    FreeMdl(mdl);
  }
  if (irp->Tail.Overlay.AuxiliaryBuffer) ex::FreePool(irp->Tail.Overlay.AuxiliaryBuffer);
  FreeIrp(irp);
}

}  // namespace nt::io

// Exports: IRPs, their completion and cancellation, MDLs, paging, priorities.
#include "src/io/internal.h"

using namespace nt;  // NOLINT: a file of exports only

NT_EXPORT(PIRP, IoAllocateIrp, (CCHAR stack_size, BOOLEAN charge), (stack_size, charge)) {
  return io::AllocateIrp(stack_size, charge);
}
NT_EXPORT(PIRP, IoAllocateIrpEx, (PDEVICE_OBJECT device, CCHAR stack_size, BOOLEAN charge), (device, stack_size, charge)) {
  static_cast<void>(device);
  return io::AllocateIrp(stack_size, charge);
}
NT_EXPORT(VOID, IoFreeIrp, (PIRP irp), (irp)) { io::FreeIrp(irp); }
NT_EXPORT(VOID, IoInitializeIrp, (PIRP irp, USHORT bytes, CCHAR stack_size), (irp, bytes, stack_size)) {
  io::InitializeIrp(irp, bytes, stack_size);
}
NT_EXPORT(VOID, IoReuseIrp, (PIRP irp, NTSTATUS status), (irp, status)) { io::ReuseIrp(irp, status); }
NT_EXPORT(PIRP, IoMakeAssociatedIrp, (PIRP irp, CCHAR stack_size), (irp, stack_size)) {
  return io::MakeAssociatedIrp(irp, stack_size);
}
NT_EXPORT(PIRP, IoBuildAsynchronousFsdRequest,
          (ULONG major, PDEVICE_OBJECT device, PVOID buffer, ULONG length, PLARGE_INTEGER offset, PIO_STATUS_BLOCK iosb),
          (major, device, buffer, length, offset, iosb)) {
  return io::BuildAsynchronousFsdRequest(major, device, buffer, length, offset, iosb);
}
NT_EXPORT(PIRP, IoBuildSynchronousFsdRequest,
          (ULONG major, PDEVICE_OBJECT device, PVOID buffer, ULONG length, PLARGE_INTEGER offset, PKEVENT event,
           PIO_STATUS_BLOCK iosb),
          (major, device, buffer, length, offset, event, iosb)) {
  return io::BuildSynchronousFsdRequest(major, device, buffer, length, offset, event, iosb);
}
NT_EXPORT(PIRP, IoBuildDeviceIoControlRequest,
          (ULONG code, PDEVICE_OBJECT device, PVOID input, ULONG input_length, PVOID output, ULONG output_length,
           BOOLEAN internal, PKEVENT event, PIO_STATUS_BLOCK iosb),
          (code, device, input, input_length, output, output_length, internal, event, iosb)) {
  return io::BuildDeviceIoControlRequest(code, device, input, input_length, output, output_length, internal, event, iosb);
}
NT_EXPORT(NTSTATUS, IofCallDriver, (PDEVICE_OBJECT device, PIRP irp), (device, irp)) {
  return io::CallDriver(device, irp);
}
NT_EXPORT(VOID, IofCompleteRequest, (PIRP irp, CCHAR boost), (irp, boost)) { io::CompleteRequest(irp, boost); }
NT_EXPORT(NTSTATUS, PoCallDriver, (PDEVICE_OBJECT device, PIRP irp), (device, irp)) { return io::CallDriver(device, irp); }
// Documented to do nothing since Windows Vista.
NT_EXPORT(VOID, PoStartNextPowerIrp, (PIRP irp), (irp)) { static_cast<void>(irp); }
NT_EXPORT(BOOLEAN, IoForwardIrpSynchronously, (PDEVICE_OBJECT device, PIRP irp), (device, irp)) {
  return io::ForwardIrpSynchronously(device, irp);
}
NT_EXPORT(NTSTATUS, IoSetCompletionRoutineEx,
          (PDEVICE_OBJECT device, PIRP irp, PIO_COMPLETION_ROUTINE routine, PVOID context, BOOLEAN success, BOOLEAN error,
           BOOLEAN cancel),
          (device, irp, routine, context, success, error, cancel)) {
  return io::SetCompletionRoutineEx(device, irp, routine, context, success, error, cancel);
}
NT_EXPORT(BOOLEAN, IoCancelIrp, (PIRP irp), (irp)) { return io::CancelIrp(irp); }
NT_EXPORT(VOID, IoAcquireCancelSpinLock, (PKIRQL irql), (irql)) { io::AcquireCancelSpinLock(irql); }
NT_EXPORT(VOID, IoReleaseCancelSpinLock, (KIRQL irql), (irql)) { io::ReleaseCancelSpinLock(irql); }
NT_EXPORT(VOID, IoQueueThreadIrp, (PIRP irp), (irp)) { io::QueueThreadIrp(irp); }

NT_EXPORT(BOOLEAN, IoIsOperationSynchronous, (PIRP irp), (irp)) { return io::IsOperationSynchronous(irp); }
NT_EXPORT(BOOLEAN, IoIs32bitProcess, (PIRP irp), (irp)) {
  static_cast<void>(irp);  // every process of the machine is a 64-bit one
  return FALSE;
}
NT_EXPORT(PEPROCESS, IoGetRequestorProcess, (PIRP irp), (irp)) { return io::GetRequestorProcess(irp); }
NT_EXPORT(ULONG, IoGetRequestorProcessId, (PIRP irp), (irp)) { return io::GetRequestorProcessId(irp); }
NT_EXPORT(NTSTATUS, IoGetRequestorSessionId, (PIRP irp, PULONG session), (irp, session)) {
  PEPROCESS process = io::GetRequestorProcess(irp);
  if (!process) return STATUS_UNSUCCESSFUL;
  *session = ps::GetProcessSessionId(process);
  return STATUS_SUCCESS;
}
NT_EXPORT(VOID, IoSetTopLevelIrp, (PIRP irp), (irp)) { io::SetTopLevelIrp(irp); }
NT_EXPORT(PIRP, IoGetTopLevelIrp, (), ()) { return io::GetTopLevelIrp(); }

NT_EXPORT(VOID, IoStartPacket, (PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel),
          (device, irp, key, cancel)) {
  io::StartPacket(device, irp, key, cancel);
}
NT_EXPORT(VOID, IoStartNextPacket, (PDEVICE_OBJECT device, BOOLEAN cancelable), (device, cancelable)) {
  io::StartNextPacket(device, cancelable);
}
NT_EXPORT(VOID, IoStartNextPacketByKey, (PDEVICE_OBJECT device, BOOLEAN cancelable, ULONG key),
          (device, cancelable, key)) {
  io::StartNextPacketByKey(device, cancelable, key);
}
NT_EXPORT(VOID, IoSetStartIoAttributes, (PDEVICE_OBJECT device, BOOLEAN deferred, BOOLEAN non_cancelable),
          (device, deferred, non_cancelable)) {
  io::SetStartIoAttributes(device, deferred, non_cancelable);
}

NT_EXPORT(PMDL, IoAllocateMdl, (PVOID address, ULONG length, BOOLEAN secondary, BOOLEAN charge, PIRP irp),
          (address, length, secondary, charge, irp)) {
  return io::AllocateMdl(address, length, secondary, charge, irp);
}
NT_EXPORT(VOID, IoFreeMdl, (PMDL mdl), (mdl)) { io::FreeMdl(mdl); }
NT_EXPORT(VOID, IoBuildPartialMdl, (PMDL source, PMDL target, PVOID address, ULONG length),
          (source, target, address, length)) {
  io::BuildPartialMdl(source, target, address, length);
}

NT_EXPORT(NTSTATUS, IoPageRead,
          (PFILE_OBJECT file, PMDL mdl, PLARGE_INTEGER offset, PKEVENT event, PIO_STATUS_BLOCK iosb),
          (file, mdl, offset, event, iosb)) {
  return io::PageRead(file, mdl, offset, event, iosb);
}
NT_EXPORT(NTSTATUS, IoSynchronousPageWrite,
          (PFILE_OBJECT file, PMDL mdl, PLARGE_INTEGER offset, PKEVENT event, PIO_STATUS_BLOCK iosb),
          (file, mdl, offset, event, iosb)) {
  return io::SynchronousPageWrite(file, mdl, offset, event, iosb);
}

// Priority hints lie in bits 17-19 of IRP::Flags: the hint + 1; 0: none given.
static constexpr int kHintShift = 17;
static IO_PRIORITY_HINT HintOf(PIRP irp) {
  const ULONG stored = irp->Flags >> kHintShift & 7;
  return stored ? static_cast<IO_PRIORITY_HINT>(stored - 1) : IoPriorityNormal;
}
NT_EXPORT(IO_PRIORITY_HINT, IoGetIoPriorityHint, (PIRP irp), (irp)) { return HintOf(irp); }
NT_EXPORT(NTSTATUS, IoSetIoPriorityHint, (PIRP irp, IO_PRIORITY_HINT hint), (irp, hint)) {
  if (hint >= MaxIoPriorityTypes) return STATUS_INVALID_PARAMETER;
  irp->Flags = (irp->Flags & ~(7u << kHintShift)) | (static_cast<ULONG>(hint) + 1) << kHintShift;
  return STATUS_SUCCESS;
}
NT_EXPORT(IO_PAGING_PRIORITY, IoGetPagingIoPriority, (PIRP irp), (irp)) {
  if (!(irp->Flags & IRP_PAGING_IO)) return IoPagingPriorityInvalid;
  return HintOf(irp) >= IoPriorityHigh ? IoPagingPriorityHigh : IoPagingPriorityNormal;
}
NT_EXPORT(NTSTATUS, IoRetrievePriorityInfo,
          (PIRP irp, PFILE_OBJECT file, PETHREAD thread, PIO_PRIORITY_INFO information),
          (irp, file, thread, information)) {
  static_cast<void>(file);
  information->ThreadPriority = thread ? static_cast<ULONG>(ke::AsThread(thread)->priority) : 0xffff;
  information->PagePriority = 5;  // MEMORY_PRIORITY_NORMAL
  information->IoPriority = irp ? HintOf(irp) : IoPriorityNormal;
  return STATUS_SUCCESS;
}

NT_EXPORT(NTSTATUS, IoSetIrpExtraCreateParameter, (PIRP irp, PECP_LIST list), (irp, list)) {
  return io::SetIrpExtraCreateParameter(irp, list);
}
NT_EXPORT(VOID, IoClearIrpExtraCreateParameter, (PIRP irp), (irp)) { io::ClearIrpExtraCreateParameter(irp); }
NT_EXPORT(NTSTATUS, IoGetIrpExtraCreateParameter, (PIRP irp, PECP_LIST* list), (irp, list)) {
  return io::GetIrpExtraCreateParameter(irp, list);
}
NT_EXPORT(NTSTATUS, IoValidateDeviceIoControlAccess, (PIRP irp, ULONG access), (irp, access)) {
  if (irp->RequestorMode == KernelMode) return STATUS_SUCCESS;
  const UCHAR granted = IoGetCurrentIrpStackLocation(irp)->Flags;
  if ((access & FILE_READ_ACCESS) && !(granted & SL_READ_ACCESS_GRANTED)) return STATUS_ACCESS_DENIED;
  if ((access & FILE_WRITE_ACCESS) && !(granted & SL_WRITE_ACCESS_GRANTED)) return STATUS_ACCESS_DENIED;
  return STATUS_SUCCESS;
}

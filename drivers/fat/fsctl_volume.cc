// FSCTLs that tell of a volume as a whole, and the one that takes a device's volumes away.
#include "fat.h"

namespace fat {

NTSTATUS GetVolumeBitmap(IrpContext& context, const Ccb& ccb) {
  PIRP irp = context.irp;
  Vcb& vcb = *context.vcb;
  const auto& parameters = context.stack()->Parameters.FileSystemControl;
  if (!ccb.volume) return STATUS_INVALID_PARAMETER;
  STARTING_LCN_INPUT_BUFFER input;
  constexpr ULONG kHeader = FIELD_OFFSET(VOLUME_BITMAP_BUFFER, Buffer);
  if (parameters.InputBufferLength < sizeof(input)) return STATUS_INVALID_PARAMETER;
  if (parameters.OutputBufferLength < sizeof(VOLUME_BITMAP_BUFFER)) return STATUS_BUFFER_TOO_SMALL;
  FAT_TRY_STATUS(seh::CopyFromUser(irp->RequestorMode, &input, parameters.Type3InputBuffer, sizeof(input), 8));
  const ULONG clusters = vcb.geometry.cluster_count;
  if (input.StartingLcn.QuadPart < 0 || input.StartingLcn.QuadPart >= clusters) return STATUS_INVALID_PARAMETER;

  const ULONG start = input.StartingLcn.LowPart & ~7u;  // the caller's bytes are whole
  const ULONG wanted = clusters - start;
  const ULONG room = parameters.OutputBufferLength - kHeader;
  const ULONG bits = static_cast<ULONG>(Min(static_cast<ULONGLONG>(wanted), static_cast<ULONGLONG>(room) * 8));
  const ULONG bytes = kHeader + (bits + 7) / 8;
  PoolBuffer memory(AllocatePaged(bytes));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  RtlZeroMemory(memory.As<void>(), bytes);
  auto* out = memory.As<VOLUME_BITMAP_BUFFER>();
  out->StartingLcn.QuadPart = start;
  out->BitmapSize.QuadPart = wanted;
  {
    SharedGuard volume(vcb.resource);
    SharedGuard guard(vcb.fat_resource);
    FatCursor cursor(vcb, FatCursor::Access::kRead);
    for (ULONG i = 0; i < bits; ++i) {
      ULONG value;
      FAT_TRY_STATUS(cursor.Read(kFirstCluster + start + i, &value));
      if (value != kFatFree) out->Buffer[i / 8] = static_cast<UCHAR>(out->Buffer[i / 8] | (1u << (i % 8)));
    }
  }
  FAT_TRY_STATUS(seh::CopyToUser(irp->RequestorMode, irp->UserBuffer, out, bytes, 8));
  irp->IoStatus.Information = bytes;
  return bits == wanted ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS QueryBpb(IrpContext& context) {
  PIRP irp = context.irp;
  Vcb& vcb = *context.vcb;
  if (context.stack()->Parameters.FileSystemControl.OutputBufferLength < sizeof(FSCTL_QUERY_FAT_BPB_BUFFER)) {
    return STATUS_BUFFER_TOO_SMALL;
  }
  SharedGuard guard(vcb.resource);
  CacheView view;
  FAT_TRY_STATUS(view.Map(vcb.volume_stream, 0, vcb.geometry.sector_bytes));
  RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, view.As<UCHAR>(0), sizeof(FSCTL_QUERY_FAT_BPB_BUFFER));
  irp->IoStatus.Information = sizeof(FSCTL_QUERY_FAT_BPB_BUFFER);
  return STATUS_SUCCESS;
}

NTSTATUS IsPathnameValid(IrpContext& context) {
  const ULONG length = context.stack()->Parameters.FileSystemControl.InputBufferLength;
  const auto* input = static_cast<const PATHNAME_BUFFER*>(context.irp->AssociatedIrp.SystemBuffer);
  constexpr ULONG kHeader = FIELD_OFFSET(PATHNAME_BUFFER, Name);
  if (input == nullptr || length < kHeader || input->PathNameLength > length - kHeader ||
      input->PathNameLength > MAXUSHORT - 1 || input->PathNameLength % sizeof(WCHAR) != 0) {
    return STATUS_INVALID_PARAMETER;
  }
  UNICODE_STRING rest;
  rest.Buffer = const_cast<PWCH>(input->Name);
  rest.Length = rest.MaximumLength = static_cast<USHORT>(input->PathNameLength);
  while (rest.Length != 0) {
    UNICODE_STRING component;
    FsRtlDissectName(rest, &component, &rest);
    if (!IsLegalName(component)) return STATUS_OBJECT_NAME_INVALID;
  }
  return STATUS_SUCCESS;
}

/// The caller names a device by a handle of it: its volumes go, unwritten.
NTSTATUS InvalidateVolumes(IrpContext& context) {
  PIRP irp = context.irp;
  LUID tcb;
  tcb.LowPart = SE_TCB_PRIVILEGE;
  tcb.HighPart = 0;
  if (!SeSinglePrivilegeCheck(tcb, irp->RequestorMode)) return STATUS_PRIVILEGE_NOT_HELD;
  if (context.stack()->Parameters.FileSystemControl.InputBufferLength < sizeof(HANDLE)) return STATUS_INVALID_PARAMETER;
  const HANDLE handle = *static_cast<HANDLE*>(irp->AssociatedIrp.SystemBuffer);
  PVOID object;
  FAT_TRY_STATUS(ObReferenceObjectByHandle(handle, 0, *IoFileObjectType, KernelMode, &object, nullptr));
  PDEVICE_OBJECT device = static_cast<PFILE_OBJECT>(object)->DeviceObject;
  ObDereferenceObject(object);
  ExclusiveGuard mount(g.mount_resource);
  g.invalidated_device = device;
  ForEachVolume([](Vcb& vcb) {
    if (vcb.vpb->RealDevice == g.invalidated_device && vcb.state == VolumeState::kMounted) DismountVolume(vcb, false);
  });
  return STATUS_SUCCESS;
}

}  // namespace fat

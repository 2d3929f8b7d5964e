// IRP_MJ_FILE_SYSTEM_CONTROL: mount and verify, locking and dismounting, where a file lies, oplocks.
#include "fat.h"

namespace fat {
namespace {

bool IsVolumeHandle(const Ccb* ccb) { return ccb != nullptr && ccb->volume; }

NTSTATUS LockVolume(Vcb& vcb, Fcb& fcb, PFILE_OBJECT file) {
  if (fcb.kind != FcbKind::kVolume) return STATUS_INVALID_PARAMETER;
  FsRtlNotifyVolumeEvent(file, FSRTL_VOLUME_LOCK);
  NTSTATUS status = STATUS_SUCCESS;
  {
    ExclusiveGuard guard(vcb.resource);
    if (vcb.state != VolumeState::kMounted) {
      status = STATUS_VOLUME_DISMOUNTED;
    } else if (vcb.locked_by != nullptr) {
      status = STATUS_ACCESS_DENIED;
    } else {
      status = FlushVolume(vcb, true);
      PurgeClosedFiles(vcb);
      // One handle, ours; and no file object that only a section keeps alive.
      if (NT_SUCCESS(status) && (vcb.open_handles != 1 || vcb.file_objects != 1)) status = STATUS_ACCESS_DENIED;
      if (NT_SUCCESS(status)) vcb.locked_by = file;
    }
  }
  if (!NT_SUCCESS(status)) FsRtlNotifyVolumeEvent(file, FSRTL_VOLUME_LOCK_FAILED);
  return status;
}

NTSTATUS UnlockVolume(Vcb& vcb, Fcb& fcb, PFILE_OBJECT file) {
  if (fcb.kind != FcbKind::kVolume) return STATUS_INVALID_PARAMETER;
  {
    ExclusiveGuard guard(vcb.resource);
    if (vcb.locked_by != file) return STATUS_NOT_LOCKED;
    vcb.locked_by = nullptr;
  }
  FsRtlNotifyVolumeEvent(file, FSRTL_VOLUME_UNLOCK);
  return STATUS_SUCCESS;
}

NTSTATUS Dismount(Vcb& vcb, Fcb& fcb, PFILE_OBJECT file) {
  if (fcb.kind != FcbKind::kVolume) return STATUS_INVALID_PARAMETER;
  FsRtlNotifyVolumeEvent(file, FSRTL_VOLUME_DISMOUNT);
  ExclusiveGuard guard(vcb.resource);
  if (vcb.state != VolumeState::kMounted) return STATUS_VOLUME_DISMOUNTED;
  if (vcb.locked_by != nullptr && vcb.locked_by != file) return STATUS_ACCESS_DENIED;
  DismountVolume(vcb, true);
  return STATUS_SUCCESS;
}

NTSTATUS MarkVolumeDirty(Vcb& vcb, const Ccb* ccb) {
  if (!IsVolumeHandle(ccb)) return STATUS_INVALID_PARAMETER;
  ExclusiveGuard guard(vcb.resource);
  FAT_TRY_STATUS(BeginModification(vcb));
  vcb.was_dirty = true;  // until someone has checked the volume
  return STATUS_SUCCESS;
}

NTSTATUS IsVolumeDirty(IrpContext& context, Vcb& vcb, const Ccb* ccb) {
  if (!IsVolumeHandle(ccb)) return STATUS_INVALID_PARAMETER;
  PIRP irp = context.irp;
  if (irp->AssociatedIrp.SystemBuffer == nullptr) return STATUS_INVALID_USER_BUFFER;
  if (context.stack()->Parameters.FileSystemControl.OutputBufferLength < sizeof(ULONG)) return STATUS_INVALID_PARAMETER;
  *static_cast<ULONG*>(irp->AssociatedIrp.SystemBuffer) = vcb.was_dirty ? VOLUME_IS_DIRTY : 0;
  irp->IoStatus.Information = sizeof(ULONG);
  return STATUS_SUCCESS;
}

NTSTATUS GetRetrievalPointers(IrpContext& context, Fcb& fcb) {
  PIRP irp = context.irp;
  const auto& parameters = context.stack()->Parameters.FileSystemControl;
  if (fcb.kind == FcbKind::kVolume) return STATUS_INVALID_PARAMETER;
  STARTING_VCN_INPUT_BUFFER input;
  constexpr ULONG kHeader = FIELD_OFFSET(RETRIEVAL_POINTERS_BUFFER, Extents);
  if (parameters.InputBufferLength < sizeof(input)) return STATUS_INVALID_PARAMETER;
  if (parameters.OutputBufferLength < sizeof(RETRIEVAL_POINTERS_BUFFER)) return STATUS_BUFFER_TOO_SMALL;
  FAT_TRY_STATUS(seh::CopyFromUser(irp->RequestorMode, &input, parameters.Type3InputBuffer, sizeof(input), 8));
  if (fcb.kind == FcbKind::kRoot && fcb.vcb->geometry.type != FatType::k32) return STATUS_INVALID_PARAMETER;

  SharedGuard volume(context.vcb->resource);
  SharedGuard guard(fcb.np->resource);
  FAT_TRY_STATUS(LoadWholeChain(fcb));
  if (input.StartingVcn.QuadPart < 0 || input.StartingVcn.QuadPart >= fcb.known_clusters) return STATUS_END_OF_FILE;

  // Runs are told whole: the first begins where the run that holds StartingVcn begins. Gathered in pool, as the
  // caller's memory may fault at any byte.
  constexpr ULONG kMaxRuns = 4096;
  struct Pair {
    LARGE_INTEGER NextVcn;
    LARGE_INTEGER Lcn;
  };
  const ULONG room = Min(kMaxRuns, (parameters.OutputBufferLength - kHeader) / static_cast<ULONG>(sizeof(Pair)));
  PoolBuffer memory(AllocatePaged(kHeader + room * sizeof(Pair)));
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  auto* out = memory.As<RETRIEVAL_POINTERS_BUFFER>();
  Pair* pairs = reinterpret_cast<Pair*>(memory.As<UCHAR>() + kHeader);
  RtlZeroMemory(out, kHeader);
  ULONG count = 0;
  NTSTATUS status = STATUS_SUCCESS;
  for (ULONG index = 0;; ++index) {
    LONGLONG vcn;
    LONGLONG lcn;
    LONGLONG run;
    if (!FsRtlGetNextLargeMcbEntry(&fcb.mcb, index, &vcn, &lcn, &run)) break;
    if (vcn + run <= input.StartingVcn.QuadPart) continue;
    if (count == room) {
      status = STATUS_BUFFER_OVERFLOW;
      break;
    }
    if (count == 0) out->StartingVcn.QuadPart = vcn;
    pairs[count].NextVcn.QuadPart = vcn + run;
    pairs[count].Lcn.QuadPart = lcn - kFirstCluster;  // clusters from the start of the data area
    ++count;
  }
  out->ExtentCount = count;
  const ULONG bytes = kHeader + count * sizeof(Pair);
  FAT_TRY_STATUS(seh::CopyToUser(irp->RequestorMode, irp->UserBuffer, out, bytes, 8));
  irp->IoStatus.Information = bytes;
  return status;
}

NTSTATUS Oplock(IrpContext& context, Fcb& fcb, ULONG code) {
  // A directory knows only the oplocks of the newer kind.
  if (fcb.kind != FcbKind::kFile && !(fcb.is_directory() && code == FSCTL_REQUEST_OPLOCK))
    return STATUS_INVALID_PARAMETER;
  Vcb& vcb = *context.vcb;
  const bool request = code == FSCTL_REQUEST_OPLOCK_LEVEL_1 || code == FSCTL_REQUEST_OPLOCK_LEVEL_2 ||
                       code == FSCTL_REQUEST_BATCH_OPLOCK || code == FSCTL_REQUEST_FILTER_OPLOCK ||
                       code == FSCTL_REQUEST_OPLOCK;
  ResourceGuard volume;
  ResourceGuard guard;
  ULONG count = 0;
  if (request) {
    volume.Shared(vcb.resource);
    guard.Exclusive(fcb.np->resource);
    const bool level2 = code == FSCTL_REQUEST_OPLOCK_LEVEL_2 ||
                        (code == FSCTL_REQUEST_OPLOCK && FsRtlOplockIsSharedRequest(context.irp));
    // A shared grant cares about byte locks, an exclusive one about other opens.
    count = level2 && fcb.is_directory() ? 0
            : level2                     ? FsRtlAreThereCurrentOrInProgressFileLocks(&fcb.lock)
                                         : fcb.open_handles;
  } else {
    guard.Shared(fcb.np->resource);
  }
  const NTSTATUS status = seh::OplockFsctrl(&fcb.header.Oplock, context.irp, count);
  UpdateFastIoState(fcb);
  return status;
}

NTSTATUS UserRequest(IrpContext& context) {
  PFILE_OBJECT file = context.stack()->FileObject;
  Vcb& vcb = *context.vcb;
  Fcb& fcb = *FcbOf(file);
  Ccb* ccb = CcbOf(file);
  if (ccb == nullptr) return STATUS_INVALID_PARAMETER;
  const ULONG code = context.stack()->Parameters.FileSystemControl.FsControlCode;
  context.irp->IoStatus.Information = 0;
  switch (code) {
    case FSCTL_LOCK_VOLUME:
      return LockVolume(vcb, fcb, file);
    case FSCTL_UNLOCK_VOLUME:
      return UnlockVolume(vcb, fcb, file);
    case FSCTL_DISMOUNT_VOLUME:
      return Dismount(vcb, fcb, file);
    case FSCTL_IS_VOLUME_MOUNTED:
      return VerifyVolume(context, nullptr);
    default:
      break;
  }
  FAT_TRY_STATUS(VerifyVolume(context, ccb));
  if (vcb.state != VolumeState::kMounted) return STATUS_VOLUME_DISMOUNTED;
  switch (code) {
    case FSCTL_MARK_VOLUME_DIRTY:
      return MarkVolumeDirty(vcb, ccb);
    case FSCTL_IS_VOLUME_DIRTY:
      return IsVolumeDirty(context, vcb, ccb);
    case FSCTL_GET_VOLUME_BITMAP:
      return GetVolumeBitmap(context, *ccb);
    case FSCTL_QUERY_FAT_BPB:
      return QueryBpb(context);
    case FSCTL_FILESYSTEM_GET_STATISTICS:
      return GetStatistics(context);
    case FSCTL_IS_PATHNAME_VALID:
      return IsPathnameValid(context);
    case FSCTL_QUERY_RETRIEVAL_POINTERS:
      return STATUS_INVALID_PARAMETER;  // asks of a paging file; none is here
    case FSCTL_GET_RETRIEVAL_POINTERS:
      return GetRetrievalPointers(context, fcb);
    case FSCTL_ALLOW_EXTENDED_DASD_IO:
      if (!IsVolumeHandle(ccb)) return STATUS_INVALID_PARAMETER;
      ccb->allow_extended_dasd = true;
      return STATUS_SUCCESS;
    case FSCTL_REQUEST_OPLOCK_LEVEL_1:
    case FSCTL_REQUEST_OPLOCK_LEVEL_2:
    case FSCTL_REQUEST_BATCH_OPLOCK:
    case FSCTL_REQUEST_FILTER_OPLOCK:
    case FSCTL_REQUEST_OPLOCK:
    case FSCTL_OPLOCK_BREAK_ACKNOWLEDGE:
    case FSCTL_OPBATCH_ACK_CLOSE_PENDING:
    case FSCTL_OPLOCK_BREAK_NOTIFY:
    case FSCTL_OPLOCK_BREAK_ACK_NO_2:
      return Oplock(context, fcb, code);
    default:
      return STATUS_INVALID_DEVICE_REQUEST;
  }
}

}  // namespace

NTSTATUS FileSystemControl(IrpContext& context) {
  switch (context.minor) {
    case IRP_MN_MOUNT_VOLUME:
      return context.vcb == nullptr ? MountVolume(context) : STATUS_INVALID_DEVICE_REQUEST;
    case IRP_MN_VERIFY_VOLUME:
      return VerifyMountedVolume(context);
    case IRP_MN_USER_FS_REQUEST:
    case IRP_MN_KERNEL_CALL:
      if (context.vcb != nullptr) return UserRequest(context);
      return context.stack()->Parameters.FileSystemControl.FsControlCode == FSCTL_INVALIDATE_VOLUMES
                 ? InvalidateVolumes(context)
                 : STATUS_INVALID_DEVICE_REQUEST;
    default:
      return STATUS_INVALID_DEVICE_REQUEST;
  }
}

}  // namespace fat

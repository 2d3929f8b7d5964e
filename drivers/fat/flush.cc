// IRP_MJ_FLUSH_BUFFERS: a file, with the entry that speaks of it; or the volume, through its or its root's handle.
#include "fat.h"

namespace fat {

NTSTATUS FlushBuffers(IrpContext& context) {
  PFILE_OBJECT file = context.stack()->FileObject;
  Fcb& fcb = *FcbOf(file);
  Vcb& vcb = *context.vcb;
  FAT_TRY_STATUS(VerifyVolume(context, CcbOf(file)));
  if (vcb.write_protected || vcb.state != VolumeState::kMounted) return STATUS_SUCCESS;
  if (fcb.kind == FcbKind::kVolume || fcb.kind == FcbKind::kRoot) {
    ExclusiveGuard guard(vcb.resource);
    return FlushVolume(vcb, true);
  }

  SharedGuard volume(vcb.resource);
  ExclusiveGuard guard(fcb.np->resource);
  const NTSTATUS broken = seh::CheckOplock(&fcb.header.Oplock, context.irp, FatOplockComplete, FatPrePostIrp);
  if (broken != STATUS_SUCCESS) return broken;
  UpdateFastIoState(fcb);
  if (fcb.unlinked) return STATUS_SUCCESS;
  FAT_TRY_STATUS(FlushFile(fcb));
  if (fcb.kind == FcbKind::kFile) {
    if ((file->Flags & FO_FILE_MODIFIED) != 0 || fcb.dirent_dirty) {
      FAT_TRY_STATUS(BeginModification(vcb));
      FAT_TRY_STATUS(UpdateDirent(fcb));
    }
    FAT_TRY_STATUS(FlushSlots(*fcb.parent, fcb.dirent_slot, fcb.dirent_slot));
  }
  FAT_TRY_STATUS(FlushFile(*vcb.volume_fcb));
  return FlushDisk(vcb);
}

}  // namespace fat

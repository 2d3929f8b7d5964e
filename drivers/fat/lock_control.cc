// IRP_MJ_LOCK_CONTROL: byte-range locks. The package completes the IRP.
#include "fat.h"

namespace fat {

NTSTATUS LockControl(IrpContext& context) {
  PFILE_OBJECT file = context.stack()->FileObject;
  Fcb& fcb = *FcbOf(file);
  if (fcb.kind != FcbKind::kFile || CcbOf(file) == nullptr) return STATUS_INVALID_PARAMETER;
  FAT_TRY_STATUS(VerifyVolume(context, CcbOf(file)));

  SharedGuard guard(fcb.np->resource);
  const bool lock = context.minor == IRP_MN_LOCK;
  const bool breaks =
      lock ? context.stack()->Parameters.LockControl.ByteOffset.QuadPart < fcb.header.AllocationSize.QuadPart
           : FsRtlAreThereWaitingFileLocks(&fcb.lock) != FALSE;
  if (breaks) {
    const NTSTATUS status = seh::CheckOplock(&fcb.header.Oplock, context.irp, FatOplockComplete, FatPrePostIrp);
    if (status != STATUS_SUCCESS) return status;
  }
  // From here on the IRP may be gone. Fast I/O has to ask about locks before the first one exists.
  if (lock) fcb.header.IsFastIoPossible = FastIoIsQuestionable;
  const NTSTATUS status = seh::ProcessFileLock(&fcb.lock, context.irp);
  UpdateFastIoState(fcb);
  return status;
}

}  // namespace fat

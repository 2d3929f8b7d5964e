// The fast I/O table. Reads and writes are the FsRtl helpers themselves; what they ask of the file system is the
// header of the Fcb and FastIoCheckIfPossible.
#include "file_info.h"

namespace fat {
namespace {

Fcb* UserFile(PFILE_OBJECT file) {
  if (file->FsContext == nullptr || CcbOf(file) == nullptr) return nullptr;
  Fcb* fcb = FcbOf(file);
  return fcb->kind == FcbKind::kFile ? fcb : nullptr;
}

BOOLEAN NTAPI CheckIfPossible(PFILE_OBJECT file, PLARGE_INTEGER offset, ULONG length, BOOLEAN, ULONG key,
                              BOOLEAN for_read, PIO_STATUS_BLOCK, PDEVICE_OBJECT) {
  Fcb* fcb = UserFile(file);
  if (fcb == nullptr) return FALSE;
  LARGE_INTEGER bytes;
  bytes.QuadPart = length;
  if (for_read) {
    return FsRtlFastCheckLockForRead(&fcb->lock, offset, &bytes, key, file, PsGetCurrentProcess());
  }
  if (fcb->vcb->write_protected) return FALSE;
  return FsRtlFastCheckLockForWrite(&fcb->lock, offset, &bytes, key, file, PsGetCurrentProcess());
}

/// The frame of every query: the Fcb shared, or "no" rather than a wait.
template <typename Info, void (*fill)(const Fcb&, Info*)>
BOOLEAN NTAPI Query(PFILE_OBJECT file, BOOLEAN wait, Info* info, PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT) {
  if (file->FsContext == nullptr || CcbOf(file) == nullptr) return FALSE;
  Fcb& fcb = *FcbOf(file);
  if (fcb.kind == FcbKind::kVolume || fcb.vcb->state != VolumeState::kMounted) return FALSE;
  FsRtlEnterFileSystem();
  BOOLEAN answered = FALSE;
  {
    ResourceGuard guard;
    if (guard.Shared(fcb.np->resource, wait ? Wait::kYes : Wait::kNo)) {
      fill(fcb, info);
      iosb->Status = STATUS_SUCCESS;
      iosb->Information = sizeof(Info);
      answered = TRUE;
    }
  }
  FsRtlExitFileSystem();
  return answered;
}

BOOLEAN RefuseLock(PIO_STATUS_BLOCK iosb) {
  iosb->Status = STATUS_INVALID_PARAMETER;
  iosb->Information = 0;
  return TRUE;
}

/// The frame of every lock entry; `operation` returns what the entry returns.
template <typename F>
BOOLEAN LockFrame(PFILE_OBJECT file, PIO_STATUS_BLOCK iosb, F operation) {
  Fcb* fcb = UserFile(file);
  if (fcb == nullptr) return RefuseLock(iosb);
  FsRtlEnterFileSystem();
  BOOLEAN done = FALSE;
  {
    SharedGuard guard(fcb->np->resource);
    if (FsRtlOplockIsFastIoPossible(&fcb->header.Oplock)) {
      iosb->Information = 0;
      done = operation(*fcb);
      UpdateFastIoState(*fcb);
    }
  }
  FsRtlExitFileSystem();
  return done;
}

BOOLEAN NTAPI Lock(PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length, PEPROCESS process, ULONG key,
                   BOOLEAN fail_immediately, BOOLEAN exclusive, PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT) {
  return LockFrame(file, iosb, [&](Fcb& fcb) -> BOOLEAN {
    // Before the lock exists: a fast read that runs beside us has to ask from now on.
    fcb.header.IsFastIoPossible = FastIoIsQuestionable;
    return FsRtlFastLock(&fcb.lock, file, offset, length, process, key, fail_immediately, exclusive, iosb, nullptr,
                         FALSE);
  });
}

BOOLEAN NTAPI UnlockSingle(PFILE_OBJECT file, PLARGE_INTEGER offset, PLARGE_INTEGER length, PEPROCESS process,
                           ULONG key, PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT) {
  return LockFrame(file, iosb, [&](Fcb& fcb) -> BOOLEAN {
    iosb->Status = FsRtlFastUnlockSingle(&fcb.lock, file, offset, length, process, key, nullptr, FALSE);
    return TRUE;
  });
}

BOOLEAN NTAPI UnlockAll(PFILE_OBJECT file, PEPROCESS process, PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT) {
  return LockFrame(file, iosb, [&](Fcb& fcb) -> BOOLEAN {
    iosb->Status = FsRtlFastUnlockAll(&fcb.lock, file, process, nullptr);
    return TRUE;
  });
}

BOOLEAN NTAPI UnlockAllByKey(PFILE_OBJECT file, PVOID process, ULONG key, PIO_STATUS_BLOCK iosb, PDEVICE_OBJECT) {
  return LockFrame(file, iosb, [&](Fcb& fcb) -> BOOLEAN {
    iosb->Status = FsRtlFastUnlockAllByKey(&fcb.lock, file, static_cast<PEPROCESS>(process), key, nullptr);
    return TRUE;
  });
}

VOID NTAPI AcquireForSection(PFILE_OBJECT file) {
  Fcb& fcb = *FcbOf(file);
  FsRtlEnterFileSystem();
  ExAcquireResourceExclusiveLite(&fcb.np->resource, TRUE);
}

VOID NTAPI ReleaseForSection(PFILE_OBJECT file) {
  ExReleaseResourceLite(&FcbOf(file)->np->resource);
  FsRtlExitFileSystem();
}

/// Never waits; the caller is in a critical region until the release. A page beyond valid data moves valid data, and
/// that needs the file exclusively.
NTSTATUS NTAPI AcquireForModWrite(PFILE_OBJECT file, PLARGE_INTEGER ending, PERESOURCE* resource, PDEVICE_OBJECT) {
  Fcb& fcb = *FcbOf(file);
  const auto moves_valid_data = [&] {
    return fcb.kind == FcbKind::kFile && ending->QuadPart > fcb.header.ValidDataLength.QuadPart &&
           fcb.header.ValidDataLength.QuadPart != fcb.file_size();
  };
  const bool exclusive = moves_valid_data();
  ERESOURCE* wanted = exclusive ? &fcb.np->resource : &fcb.np->paging_resource;
  const BOOLEAN got =
      exclusive ? ExAcquireResourceExclusiveLite(wanted, FALSE) : ExAcquireResourceSharedLite(wanted, FALSE);
  if (got && exclusive == moves_valid_data()) {
    *resource = wanted;
    return STATUS_SUCCESS;
  }
  if (got) ExReleaseResourceLite(wanted);
  *resource = nullptr;
  return STATUS_CANT_WAIT;
}

NTSTATUS NTAPI ReleaseForModWrite(PFILE_OBJECT, PERESOURCE resource, PDEVICE_OBJECT) {
  if (resource != nullptr) ExReleaseResourceLite(resource);
  return STATUS_SUCCESS;
}

/// A file's pages are written under both resources, metadata under the paging resource alone.
NTSTATUS NTAPI AcquireForCcFlush(PFILE_OBJECT file, PDEVICE_OBJECT) {
  Fcb& fcb = *FcbOf(file);
  FsRtlEnterFileSystem();
  if (fcb.kind == FcbKind::kFile) {
    if (ExIsResourceAcquiredSharedLite(&fcb.np->resource) != 0) {
      ExAcquireResourceSharedLite(&fcb.np->resource, TRUE);
    } else {
      ExAcquireResourceExclusiveLite(&fcb.np->resource, TRUE);
    }
  }
  ExAcquireResourceSharedLite(&fcb.np->paging_resource, TRUE);
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI ReleaseForCcFlush(PFILE_OBJECT file, PDEVICE_OBJECT) {
  Fcb& fcb = *FcbOf(file);
  ExReleaseResourceLite(&fcb.np->paging_resource);
  if (fcb.kind == FcbKind::kFile) ExReleaseResourceLite(&fcb.np->resource);
  FsRtlExitFileSystem();
  return STATUS_SUCCESS;
}

}  // namespace

void InitializeFastIo() {
  FAST_IO_DISPATCH& table = g.fast_io;
  RtlZeroMemory(&table, sizeof(table));
  table.SizeOfFastIoDispatch = sizeof(table);
  table.FastIoCheckIfPossible = CheckIfPossible;
  table.FastIoRead = FsRtlCopyRead;
  table.FastIoWrite = FsRtlCopyWrite;
  table.FastIoQueryBasicInfo = Query<FILE_BASIC_INFORMATION, FillBasic>;
  table.FastIoQueryStandardInfo = Query<FILE_STANDARD_INFORMATION, FillStandard>;
  table.FastIoQueryNetworkOpenInfo = Query<FILE_NETWORK_OPEN_INFORMATION, FillNetworkOpen>;
  table.FastIoQueryOpen = QueryOpen;
  table.FastIoLock = Lock;
  table.FastIoUnlockSingle = UnlockSingle;
  table.FastIoUnlockAll = UnlockAll;
  table.FastIoUnlockAllByKey = UnlockAllByKey;
  table.AcquireFileForNtCreateSection = AcquireForSection;
  table.ReleaseFileForNtCreateSection = ReleaseForSection;
  table.AcquireForModWrite = AcquireForModWrite;
  table.ReleaseForModWrite = ReleaseForModWrite;
  table.AcquireForCcFlush = AcquireForCcFlush;
  table.ReleaseForCcFlush = ReleaseForCcFlush;
  table.MdlRead = FsRtlMdlReadDev;
  table.MdlReadComplete = FsRtlMdlReadCompleteDev;
  table.PrepareMdlWrite = FsRtlPrepareMdlWriteDev;
  table.MdlWriteComplete = FsRtlMdlWriteCompleteDev;
}

}  // namespace fat

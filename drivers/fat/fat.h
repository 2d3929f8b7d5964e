// The functions that the files of the driver offer each other. Its structures, and the order of their locks: objects.h.
#pragma once
#include "objects.h"

namespace fat {

// ---------------------------------------------------------------------------------------------------------------
// Requests (dispatch.cc)

/// What one request carries through the driver. Lives on the dispatcher's stack, or in pool once posted.
struct IrpContext {
  WORK_QUEUE_ITEM work;
  PIRP irp;
  PDEVICE_OBJECT device;
  Vcb* vcb;  // null: the request is for the file system device
  UCHAR major;
  UCHAR minor;
  bool can_wait;
  bool async;  // nobody waits for the disk in this request: its last transfer completes it
  bool top_level;
  bool write_through;
  bool posted;
  bool other_stack;  // on the thread of the stack-overflow package
  bool owns_file;    // ... for a thread that has the Fcb exclusive
  bool owns_paging;  // ... and the paging resource
  PKTHREAD thread;   // that the request came in on

  PIO_STACK_LOCATION stack() const { return IoGetCurrentIrpStackLocation(irp); }
  Wait wait() const { return can_wait ? Wait::kYes : Wait::kNo; }
  bool paging() const { return (irp->Flags & IRP_PAGING_IO) != 0; }
};

/// An operation returns the final status, STATUS_PENDING when the IRP is no longer its own, or STATUS_CANT_WAIT
/// (having changed nothing) to be run again in a worker.
using Operation = NTSTATUS (*)(IrpContext& context);

NTSTATUS Create(IrpContext&);
NTSTATUS Close(IrpContext&);
NTSTATUS Read(IrpContext&);
NTSTATUS Write(IrpContext&);
NTSTATUS QueryInformation(IrpContext&);
NTSTATUS SetInformation(IrpContext&);
NTSTATUS RefuseExtendedAttributes(IrpContext&);
NTSTATUS FlushBuffers(IrpContext&);
NTSTATUS QueryVolumeInformation(IrpContext&);
NTSTATUS SetVolumeInformation(IrpContext&);
NTSTATUS DirectoryControl(IrpContext&);
NTSTATUS FileSystemControl(IrpContext&);
NTSTATUS DeviceControl(IrpContext&);
NTSTATUS Shutdown(IrpContext&);
NTSTATUS LockControl(IrpContext&);
NTSTATUS Cleanup(IrpContext&);
NTSTATUS Pnp(IrpContext&);

extern "C" {
DRIVER_DISPATCH FatDispatch;
DRIVER_UNLOAD FatUnload;
VOID NTAPI FatPrePostIrp(PVOID context, PIRP irp);
VOID NTAPI FatOplockComplete(PVOID context, PIRP irp);
VOID NTAPI FatDeferredWrite(PVOID context1, PVOID context2);
}
/// Hands the IRP to a worker, pending. The caller returns STATUS_PENDING and forgets it.
NTSTATUS PostIrp(PIRP irp);
/// Keeps a cached write until the cache has room. @returns STATUS_PENDING, or why the buffer cannot be kept
NTSTATUS DeferWrite(IrpContext& context, ULONG bytes);
void CompleteIrp(PIRP irp, NTSTATUS status);

/// Checks that the volume is in a state for this request.
NTSTATUS VerifyVolume(const IrpContext& context, const Ccb* ccb);
/// Refuses read-only media, and puts the dirty mark on the medium before the first change.
NTSTATUS BeginModification(Vcb& vcb);

// ---------------------------------------------------------------------------------------------------------------
// Buffers and the disk (buffers.cc, disk_io.cc)

NTSTATUS LockUserBuffer(PIRP irp, LOCK_OPERATION operation, ULONG length);
/// Address of the requestor's buffer valid in this thread; with no MDL, a raw address that may fault.
NTSTATUS MapUserBuffer(PIRP irp, PVOID* address);

/// One transfer of whole sectors between the medium and a nonpaged buffer.
NTSTATUS TransferDisk(PDEVICE_OBJECT target, UCHAR major, LONGLONG offset, ULONG length, PVOID buffer);
/// The same for a locked buffer.
NTSTATUS TransferDevice(PDEVICE_OBJECT target, UCHAR major, LONGLONG offset, ULONG length, PMDL mdl,
                        bool write_through);
/// Transfers whole sectors of a stream, run by run, through `mdl` from byte `mdl_offset`; waits.
NTSTATUS TransferStream(Fcb& fcb, UCHAR major, LONGLONG offset, ULONG length, PMDL mdl, ULONG mdl_offset,
                        bool write_through);
/// What is left to do when the last run of a transfer that nobody waits for is done.
struct AsyncEnd {
  ULONG information;
  ULONG zero_from;  // bytes of the buffer, after a read
  ULONG zero_to;
  ULONG file_flags;  // FO_FILE_MODIFIED or FO_FILE_FAST_IO_READ, once it succeeded
};
/// Transfers whole sectors of a stream, or of the device for the volume's Fcb, from or to the request's locked buffer,
/// and completes the IRP. What `guard` holds is held until then.
/// @returns STATUS_PENDING, or why nothing was begun
NTSTATUS TransferAsync(IrpContext& context, Fcb& fcb, LONGLONG offset, ULONG length, ResourceGuard& guard,
                       const AsyncEnd& end);
/// The same through a bounce buffer: any offset and length, reading the sectors around for a write.
NTSTATUS TransferStreamUnaligned(Fcb& fcb, UCHAR major, LONGLONG offset, ULONG length, PVOID buffer);
NTSTATUS ZeroStreamOnDisk(Fcb& fcb, LONGLONG from, LONGLONG to);
NTSTATUS ZeroCluster(Vcb& vcb, ULONG cluster);
NTSTATUS DeviceIoControl(PDEVICE_OBJECT target, ULONG code, PVOID in, ULONG in_bytes, PVOID out, ULONG out_bytes,
                         ULONG_PTR* information);

// ---------------------------------------------------------------------------------------------------------------
// The FAT (fat_table.cc, cluster_alloc.cc, chain.cc)

NTSTATUS ReadFatEntry(Vcb& vcb, ULONG cluster, ULONG* value);
/// Sequential access to FAT entries that keeps its page mapped or pinned.
class FatCursor {
 public:
  enum class Access { kRead, kWrite };
  FatCursor(Vcb& vcb, Access access) : vcb_(vcb), access_(access) {}
  NTSTATUS Read(ULONG cluster, ULONG* value);
  NTSTATUS Write(ULONG cluster, ULONG value);  // fat_resource exclusive

 private:
  NTSTATUS Locate(LONGLONG offset, UCHAR** at);
  NTSTATUS ReadRaw(ULONG cluster, ULONG* value);
  Vcb& vcb_;
  Access access_;
  CacheView view_;
  LONGLONG base_ = -1;
};
inline bool IsDataCluster(const Vcb& vcb, ULONG cluster) {
  return cluster >= kFirstCluster && cluster - kFirstCluster < vcb.geometry.cluster_count;
}
inline LONGLONG ClusterOffset(const Vcb& vcb, ULONG cluster) {
  return vcb.geometry.data_base + (static_cast<LONGLONG>(cluster - kFirstCluster) << vcb.geometry.cluster_shift);
}

NTSTATUS InitializeFreeMap(Vcb& vcb);
void FreeFreeMap(Vcb& vcb);
/// Makes a chain of `count` clusters, described in `runs` from vcn 0. On failure nothing is allocated.
NTSTATUS AllocateClusters(Vcb& vcb, ULONG hint, ULONG count, PLARGE_MCB runs, ULONG* first, ULONG* last);
/// Frees a chain, to its end. Stops with STATUS_FILE_CORRUPT_ERROR at an entry that no chain can contain.
NTSTATUS FreeChain(Vcb& vcb, ULONG first);

/// Maps cluster `vcn` of a chain; `count` clusters follow on the medium.
/// @returns STATUS_END_OF_FILE past the chain's end; STATUS_FILE_CORRUPT_ERROR for a chain that loops or leaves the
/// volume
NTSTATUS LookupCluster(Fcb& fcb, ULONG vcn, ULONG* cluster, ULONG* count);
NTSTATUS LoadWholeChain(Fcb& fcb);
/// False if mapping the bytes before `end` could wait for the medium.
bool IsChainKnown(const Fcb& fcb, LONGLONG end);
/// Byte range of a stream -> byte range of the medium.
NTSTATUS LookupRun(Fcb& fcb, LONGLONG offset, ULONG length, LONGLONG* disk_offset, ULONG* run_length);
NTSTATUS ExtendChain(Fcb& fcb, ULONG clusters_wanted, bool zero_new);
NTSTATUS TruncateChain(Fcb& fcb, ULONG clusters_kept);
void ResetChain(Fcb& fcb, ULONG first_cluster);

// ---------------------------------------------------------------------------------------------------------------
// Sizes (size.cc); Fcb resource exclusive

constexpr LONGLONG kMaxFileSize = 0xFFFFFFFFLL;
LONGLONG RoundToCluster(const Vcb& vcb, LONGLONG bytes);
NTSTATUS SetAllocation(Fcb& fcb, PFILE_OBJECT file, LONGLONG bytes);
NTSTATUS SetEndOfFile(Fcb& fcb, PFILE_OBJECT file, LONGLONG bytes);
NTSTATUS EnsureAllocation(Fcb& fcb, PFILE_OBJECT file, LONGLONG bytes);
NTSTATUS ZeroValidDataGap(Fcb& fcb, PFILE_OBJECT file, LONGLONG to, Wait wait);
void PublishSizes(Fcb& fcb, PFILE_OBJECT file);
CC_FILE_SIZES CacheSizes(const Fcb& fcb);
NTSTATUS StartCaching(Fcb& fcb, PFILE_OBJECT file);

// ---------------------------------------------------------------------------------------------------------------
// Names (names.cc, short_name.cc)

struct NameBuffer {
  UNICODE_STRING name;
  WCHAR chars[kMaxNameChars + 1];
  NameBuffer() { Clear(); }
  void Clear() {
    name.Buffer = chars;
    name.Length = 0;
    name.MaximumLength = kMaxNameChars * sizeof(WCHAR);
  }
};

bool IsLegalName(const UNICODE_STRING& name);
bool NamesEqual(const UNICODE_STRING& a, const UNICODE_STRING& b);
UCHAR ShortNameChecksum(const UCHAR name[11]);
/// 8.3 name of a slot, as Unicode, with NT's lower-case flags applied if `apply_case`.
void DecodeShortName(const UCHAR name[11], UCHAR nt_case, bool apply_case, UNICODE_STRING* out);
void DecodeLabel(const UCHAR name[11], UNICODE_STRING* out);
/// True if the name needs no long-name slots: `packed` and `nt_case` then hold all of it.
bool EncodeShortName(const UNICODE_STRING& name, UCHAR packed[11], UCHAR* nt_case);
/// A short name that is not in use in the directory, for a name that needs a long one too.
/// @param wanted  taken if it is free; may be empty
NTSTATUS ChooseShortName(Fcb& directory, const UNICODE_STRING& name, const UNICODE_STRING& wanted, UCHAR packed[11]);
NTSTATUS DuplicateString(const UNICODE_STRING& from, UNICODE_STRING* to);
void FreeString(UNICODE_STRING* string);
/// Path from the root, in pool; `last_offset` = byte offset of the last component.
NTSTATUS FullPath(Fcb& fcb, UNICODE_STRING* path, USHORT* last_offset);
NTSTATUS ChildPath(Fcb& directory, const UNICODE_STRING& name, UNICODE_STRING* path, USHORT* last_offset);

LARGE_INTEGER DecodeTime(USHORT date, USHORT time, UCHAR tens_of_ms);
void EncodeTime(LARGE_INTEGER system_time, USHORT* date, USHORT* time, UCHAR* tens_of_ms);
LARGE_INTEGER Now();

// ---------------------------------------------------------------------------------------------------------------
// Directories (directory.cc, dirent.cc)

struct DirectoryEntry {
  Dirent dirent;
  ULONG first_slot;
  ULONG dirent_slot;
  NameBuffer long_name;  // empty if there is none
  UNICODE_STRING short_name;
  WCHAR short_chars[13];

  const UNICODE_STRING& name() const { return long_name.name.Length != 0 ? long_name.name : short_name; }
  ULONG first_cluster(const Vcb& vcb) const {
    const ULONG high = vcb.geometry.type == FatType::k32 ? dirent.cluster_high : 0u;
    return (high << 16) | dirent.cluster_low;
  }
  bool is_directory() const { return (dirent.attributes & kAttrDirectory) != 0; }
};

NTSTATUS OpenDirectoryStream(Fcb& directory);
/// Copies one slot. @returns STATUS_END_OF_FILE past the directory's end
class SlotCursor {
 public:
  explicit SlotCursor(Fcb& directory) : directory_(directory) {}
  NTSTATUS Read(ULONG offset, Dirent* slot);

 private:
  Fcb& directory_;
  CacheView view_;
  ULONG base_ = 0;
};
/// Decodes the next used entry at or after `offset`; volume labels are skipped unless asked for.
/// @returns STATUS_NO_MORE_FILES at the end
NTSTATUS NextEntry(SlotCursor& cursor, ULONG offset, bool want_label, DirectoryEntry* entry);
/// The entry that has `name` as its long or its short name.
/// @returns STATUS_OBJECT_NAME_NOT_FOUND
NTSTATUS FindEntry(Fcb& directory, const UNICODE_STRING& name, DirectoryEntry* entry);
NTSTATUS FindLabel(Fcb& root, DirectoryEntry* entry);
NTSTATUS IsDirectoryEmpty(Fcb& directory, bool* empty);

/// Vcb exclusive for all that follow, save UpdateDirent (Vcb shared and the Fcb exclusive).
/// Gives entry->dirent its short name and puts it under `name`; *entry is then as NextEntry would read it.
/// @param wanted_short  the short name it is to have, if that is free; may be empty
NTSTATUS AddEntry(Fcb& directory, const UNICODE_STRING& name, const UNICODE_STRING& wanted_short,
                  DirectoryEntry* entry);
NTSTATUS AddLabelEntry(Fcb& root, const Dirent& dirent);
NTSTATUS RemoveEntry(Fcb& directory, ULONG first_slot, ULONG dirent_slot);
NTSTATUS WriteSlot(Fcb& directory, ULONG offset, const Dirent& slot);
NTSTATUS UpdateDirent(Fcb& fcb);
NTSTATUS InitializeNewDirectory(Fcb& parent, ULONG cluster, const Dirent& own);
NTSTATUS SetDotDotCluster(Fcb& directory, ULONG parent_cluster);
NTSTATUS FlushSlots(Fcb& directory, ULONG from, ULONG to);

// ---------------------------------------------------------------------------------------------------------------
// Fcb life (fcb.cc); Vcb exclusive

NTSTATUS CreateFcb(Vcb& vcb, FcbKind kind, Fcb* parent, Fcb** fcb);
NTSTATUS CreateFcbFromEntry(Fcb& directory, const DirectoryEntry& entry, Fcb** fcb);
Fcb* FindFcb(const Fcb& directory, ULONG dirent_slot);
/// The Fcb for an entry, with a reference for the caller.
NTSTATUS GetFcb(Fcb& directory, const DirectoryEntry& entry, Fcb** fcb);
void InsertFcbName(Fcb& fcb);
void RemoveFcbName(Fcb& fcb);
NTSTATUS SetFcbName(Fcb& fcb, const UNICODE_STRING& name, const Dirent& dirent);
void ReferenceFcb(Fcb& fcb);
/// Drops a reference; the last one frees the Fcb, or keeps a directory warm for a while.
void ReleaseFcb(Fcb* fcb);
void TrimIdleDirectories(Vcb& vcb, ULONG keep);
void DestroyFcb(Fcb* fcb);
void UpdateFastIoState(Fcb& fcb);
ULONGLONG FileId(const Fcb& fcb);
ULONGLONG FileIdOfEntry(Fcb& directory, const DirectoryEntry& entry);

/// Holds a reference for a scope. Vcb exclusive at the scope's end too.
class FcbRef {
 public:
  FcbRef() = default;
  explicit FcbRef(Fcb* adopted) : fcb_(adopted) {}
  FcbRef(const FcbRef&) = delete;
  FcbRef& operator=(const FcbRef&) = delete;
  ~FcbRef() { Adopt(nullptr); }
  void Adopt(Fcb* fcb) {
    if (fcb_ != nullptr) ReleaseFcb(fcb_);
    fcb_ = fcb;
  }
  Fcb* get() const { return fcb_; }
  Fcb* Detach() {
    Fcb* fcb = fcb_;
    fcb_ = nullptr;
    return fcb;
  }

 private:
  Fcb* fcb_ = nullptr;
};

inline Fcb* FcbOf(PFILE_OBJECT file) { return static_cast<Fcb*>(file->FsContext); }
inline Ccb* CcbOf(PFILE_OBJECT file) { return static_cast<Ccb*>(file->FsContext2); }
/// Where a volume handle's bytes end: with FSCTL_ALLOW_EXTENDED_DASD_IO the device says it.
inline LONGLONG VolumeHandleLimit(const Vcb& vcb, const Ccb& ccb) {
  return ccb.allow_extended_dasd ? MAXLONGLONG : vcb.geometry.volume_bytes;
}
Ccb* CreateCcb(Fcb& fcb, PFILE_OBJECT file);
void FreeCcb(Ccb* ccb);

// ---------------------------------------------------------------------------------------------------------------
// Volumes (volume.cc, dirty.cc)

NTSTATUS MountVolume(IrpContext& context);
NTSTATUS VerifyMountedVolume(IrpContext& context);
NTSTATUS MarkDirty(Vcb& vcb);
void InitializeIdleClean();
void StopIdleClean();
void NoteChange(Vcb& vcb);
/// The volume carries the mark: see to it that it goes again.
void ArmIdleClean();
NTSTATUS MarkClean(Vcb& vcb);
/// Writes every dirty page and directory entry of the volume, then the clean mark. Vcb exclusive.
NTSTATUS FlushVolume(Vcb& vcb, bool mark_clean);
NTSTATUS FlushFile(Fcb& fcb);
NTSTATUS FlushDisk(Vcb& vcb);
/// Lets go of what only the cache still holds: sections of closed files, idle directories. Vcb exclusive.
void PurgeClosedFiles(Vcb& vcb);
/// After this no request but cleanup and close touches the volume. Vcb exclusive.
void DismountVolume(Vcb& vcb, bool flush);
/// Finishes the closes of this volume that wait in the queue. Vcb exclusive.
void DrainCloses(Vcb& vcb);
/// Calls `visit` for every mounted volume, Vcb exclusive.
void ForEachVolume(void (*visit)(Vcb& vcb));
/// Gives up Vcb::resource (exclusive), or the whole volume if it was dismounted and this was its last user.
void ReleaseVolume(Vcb& vcb);

// What a volume did (statistics.cc)
NTSTATUS InitializeStatistics(Vcb& vcb);
void FreeStatistics(Vcb& vcb);
void CountCreate(Vcb& vcb, NTSTATUS status);
void CountNonCached(Vcb& vcb, UCHAR major, ULONG bytes);
void CountTransfer(const Fcb& fcb, UCHAR major, ULONG bytes, ULONG disk_requests);
NTSTATUS GetStatistics(IrpContext& context);

// FSCTLs of a volume (fsctl_volume.cc)
NTSTATUS GetVolumeBitmap(IrpContext& context, const Ccb& ccb);
NTSTATUS QueryBpb(IrpContext& context);
NTSTATUS IsPathnameValid(IrpContext& context);
NTSTATUS InvalidateVolumes(IrpContext& context);

// Notification, and the oplocks of directories, which tell of the same (notify.cc)
void BreakParentOplock(IrpContext& context, Fcb& directory);
/// The directory goes: who watches it learns that.
void ReportDirectoryGone(Fcb& directory);
void ReportChange(Fcb& fcb, ULONG filter, ULONG action);
void ReportNamedChange(Fcb& directory, const UNICODE_STRING& name, ULONG filter, ULONG action);

// Tunnelling (tunnel.cc); Vcb exclusive

/// What a file had when it went.
struct Tunnelled {
  NameBuffer long_name;
  UNICODE_STRING short_name;
  WCHAR short_chars[13];
  LARGE_INTEGER creation_time;  // 0: nothing was found
  void Clear() {
    long_name.Clear();
    short_name.Buffer = short_chars;
    short_name.Length = 0;
    short_name.MaximumLength = sizeof(short_chars);
    creation_time.QuadPart = 0;
  }
};
/// The file loses its name.
void TunnelAway(Fcb& fcb, bool opened_by_short_name);
void TunnelForgetDirectory(Fcb& directory);
/// A file gets `name`. False: none that had it went lately; *tunnelled is empty then.
bool TunnelBack(Fcb& directory, const UNICODE_STRING& name, Tunnelled* tunnelled);
/// Both names for a file that is to be called `name`; they point into the arguments. @param entry  memory to work with
NTSTATUS NamesFromTunnel(Fcb& directory, const UNICODE_STRING& name, const Tunnelled& tunnelled, DirectoryEntry* entry,
                         UNICODE_STRING* long_name, UNICODE_STRING* short_name);

// Rename (rename.cc)
NTSTATUS RenameFile(IrpContext& context, Fcb& fcb, Ccb& ccb);
/// Takes the name away from a file whose last handle closed. Vcb and Fcb exclusive.
NTSTATUS DeleteFileName(Fcb& fcb, bool opened_by_short_name);

BOOLEAN NTAPI QueryOpen(PIRP irp, PFILE_NETWORK_OPEN_INFORMATION info, PDEVICE_OBJECT device);

// Tables (fast_io.cc)
void InitializeFastIo();

}  // namespace fat

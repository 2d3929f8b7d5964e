// The driver's own structures: what a volume, a file, a handle is.
//
// Lock order: Vcb::resource -> directory Fcb resource -> Fcb resource -> paging resource -> chain resource
//             -> Vcb::fat_resource -> the volume stream's pages (Cc).
// Paging I/O takes the paging resource shared and nothing above it.
//   Vcb::resource exclusive  names, the Fcb table and open counts change (create, cleanup, close, rename, dismount)
//   Vcb::resource shared     directory slots stay where they are (query, in-place slot updates)
//   Fcb resource             size, times, cache state of one file
//   fat_resource exclusive   FAT entries, the free bitmap, the dirty bit
#pragma once
#include <ntifs.h>
#include <ntdddisk.h>

#include "disk_format.h"
#include "guard.h"
#include "seh.h"

namespace fat {

// The advanced header derives from the common one, so CONTAINING_RECORD of an Fcb is offsetof of a class with a base.
// Both compilers that matter lay it out as C does.
#pragma clang diagnostic ignored "-Winvalid-offsetof"

#define FAT_TRY_STATUS(expression)                    \
  do {                                                \
    const NTSTATUS try_status_ = (expression);        \
    if (!NT_SUCCESS(try_status_)) return try_status_; \
  } while (0)

constexpr USHORT kNodeVolume = 0x0601;
constexpr USHORT kNodeDirectory = 0x0602;
constexpr USHORT kNodeFile = 0x0603;

struct Vcb;
struct Fcb;
struct Ccb;
struct NameIndex;

// ---------------------------------------------------------------------------------------------------------------
// Geometry: a checked and decoded boot sector.

enum class FatType : UCHAR { k12, k16, k32 };

struct Geometry {
  FatType type;
  UCHAR media;
  UCHAR fat_count;
  UCHAR active_fat;
  bool mirrored;
  bool boot_state_valid;  // the boot sector has a state byte
  bool dirty;             // ... and it said "dirty"
  ULONG sector_bytes;
  ULONG cluster_bytes;
  ULONG cluster_shift;
  ULONG cluster_count;
  ULONG root_cluster;   // FAT32
  ULONG root_bytes;     // FAT12/16
  ULONG root_entries;   // FAT12/16
  ULONG fsinfo_offset;  // FAT32, 0 = none
  ULONG boot_state_offset;
  ULONG serial;
  LONGLONG fat_base;   // of the active FAT
  LONGLONG fat_bytes;  // of one FAT
  LONGLONG root_base;  // FAT12/16
  LONGLONG data_base;
  LONGLONG volume_bytes;
};

/// @returns STATUS_UNRECOGNIZED_VOLUME unless every field is one a FAT volume of this device can have
NTSTATUS DecodeBootSector(const BootSector& boot, ULONG device_sector_bytes, LONGLONG device_bytes, Geometry* geometry);

// ---------------------------------------------------------------------------------------------------------------
// Objects

constexpr ULONG kHashBuckets = 256;
constexpr ULONG kIdleDirectoryLimit = 64;
constexpr ULONG kWindowClusters = 65536;

/// Free-space bitmap of one window of the FAT, guarded by Vcb::fat_resource.
struct FreeMap {
  RTL_BITMAP bitmap;
  ULONG* bits;
  ULONG* window_free;  // per window; kUnknown until it was scanned
  ULONG window_count;
  ULONG window;  // the one that `bitmap` describes; kUnknown = none
  ULONG free_clusters;
  ULONG hint;  // cluster where the next search starts
  static constexpr ULONG kUnknown = 0xFFFFFFFF;
};

enum class VolumeState : UCHAR { kMounted, kDismounted };

/// Volume control block: the device extension of the volume device (nonpaged).
struct Vcb {
  PDEVICE_OBJECT device;
  PDEVICE_OBJECT target;  // the storage device below
  PVPB vpb;
  PVPB spare_vpb;  // takes vpb's place on the real device at dismount
  LIST_ENTRY global_link;
  ERESOURCE resource;
  ERESOURCE fat_resource;
  Geometry geometry;
  VolumeState state;
  bool write_protected;
  bool shutdown;
  bool marked_dirty;          // the medium carries our dirty mark
  bool was_dirty;             // it carried one when mounted, and keeps it
  LONGLONG changed_at_100ns;  // interrupt time of the last change
  bool tearing_down;
  ULONG pins;  // who walks the list of volumes; guarded by Globals::list_mutex
  PFILE_OBJECT locked_by;
  ULONG open_handles;  // user file objects before cleanup
  ULONG file_objects;  // user file objects before close
  Fcb* volume_fcb;
  Fcb* root;
  PFILE_OBJECT volume_stream;  // reserved area and active FAT
  LIST_ENTRY all_fcbs;
  LIST_ENTRY hash[kHashBuckets];
  LIST_ENTRY idle_directories;
  ULONG idle_count;
  bool trimming;
  LIST_ENTRY ccbs;
  FreeMap free;
  PNOTIFY_SYNC notify_sync;
  LIST_ENTRY notify_list;
  TUNNEL tunnel;
  PVOID statistics;  // statistics.cc
  ULONG statistics_count;
};

enum class FcbKind : UCHAR { kVolume, kRoot, kDirectory, kFile };

struct FcbNonPaged {
  SECTION_OBJECT_POINTERS section;
  ERESOURCE resource;
  ERESOURCE paging_resource;
  ERESOURCE chain_resource;
  FAST_MUTEX header_mutex;
};

/// File control block (paged pool). The header comes first: FsContext of every file object points here.
struct Fcb {
  FSRTL_ADVANCED_FCB_HEADER header;
  Vcb* vcb;
  FcbNonPaged* np;
  Fcb* parent;  // null: volume, root
  LIST_ENTRY all_link;
  LIST_ENTRY hash_link;
  LIST_ENTRY idle_link;  // Flink null unless idle
  FcbKind kind;
  bool delete_pending;
  bool unlinked;  // no name any more
  bool dirent_dirty;
  ULONG unreported;  // FILE_NOTIFY_CHANGE_*: what the next cleanup tells watchers
  bool mcb_initialized;
  ULONG open_handles;
  ULONG references;         // file objects, children, and callers in flight
  ULONG stream_references;  // stream file objects not closed yet
  ULONG stream_closes;      // ... closed, but still in the queue
  LIST_ENTRY stream_close_link;
  PFILE_OBJECT stream;  // directories, volume
  SHARE_ACCESS share;
  FILE_LOCK lock;
  PVOID lazy_write_thread;

  // what the directory says
  UCHAR attributes;
  UCHAR nt_case;
  ULONG first_cluster;
  LARGE_INTEGER creation_time;  // system time
  LARGE_INTEGER access_time;
  LARGE_INTEGER write_time;
  ULONG first_slot;     // bytes from the start of the parent, of the first slot of the name
  ULONG dirent_slot;    // ... and of the short entry
  UNICODE_STRING name;  // long name, or the short one (paged pool)
  UNICODE_STRING short_name;
  WCHAR short_buffer[12];

  // cluster chain: vcn -> cluster, guarded by chain_resource while it grows
  LARGE_MCB mcb;
  ULONG known_clusters;
  ULONG last_cluster;
  bool chain_complete;
  ULONG brent_mark;
  ULONG brent_limit;
  ULONG brent_steps;

  NameIndex* names;  // directories, once searched

  bool is_directory() const { return kind == FcbKind::kRoot || kind == FcbKind::kDirectory; }
  LONGLONG file_size() const { return header.FileSize.QuadPart; }
  bool has_long_name() const { return first_slot != dirent_slot; }
};

/// Context control block: one per user file object (paged pool).
struct Ccb {
  LIST_ENTRY link;
  LIST_ENTRY close_link;
  Fcb* fcb;
  PFILE_OBJECT file;
  bool delete_on_close;
  bool volume;
  bool opened_by_short_name;          // ... although it has a long one
  bool modified_by_user_times_write;  // the caller set the time itself: leave it alone at cleanup
  bool modified_by_user_times_access;
  // directory enumeration
  bool query_started;
  bool match_all;
  bool match_one;  // the pattern is a name
  bool allow_extended_dasd;
  ULONG query_offset;
  UNICODE_STRING pattern;
  UNICODE_STRING notify_name;
};

/// See idle_clean.cc.
struct IdleClean {
  KTIMER timer;
  KDPC dpc;
  WORK_QUEUE_ITEM work;
  KEVENT done;  // no worker is queued or running
  LONG queued;
  LONG again;  // a volume is left that carries the mark
  bool stopped;
};

struct Globals {
  PDRIVER_OBJECT driver;
  PDEVICE_OBJECT device;  // \Fat
  FAST_IO_DISPATCH fast_io;
  CACHE_MANAGER_CALLBACKS callbacks;
  ERESOURCE mount_resource;  // one mount at a time; before any Vcb::resource
  FAST_MUTEX list_mutex;     // volumes; after any Vcb::resource
  LIST_ENTRY volumes;
  FAST_MUTEX close_mutex;         // both close queues
  LIST_ENTRY close_queue;         // Ccb::close_link
  LIST_ENTRY stream_close_queue;  // Fcb::stream_close_link
  bool close_worker_queued;
  WORK_QUEUE_ITEM close_worker;
  KEVENT close_idle;
  IdleClean idle;
  PDEVICE_OBJECT invalidated_device;  // guarded by mount_resource
  bool update_last_access;            // registry: Parameters\UpdateLastAccess
};
extern Globals g;

}  // namespace fat

/* mirror: one disk over two. It is the highest driver of a storage stack: it makes IRPs of its own for the disks below.
   Writes and flushes go to both sides, reads come from one. A side that fails what the other does is left alone from
   then on; the requests go on with the other. */
#pragma once
#include <ntddk.h>
#include <mountdev.h>
#include <ntdddisk.h>
#include <ntiologc.h>

#include "../common/parameters.h"
#include "mirror_public.h"

#define MIRROR_TAG 'rriM'

typedef struct _MIRROR {
  PDEVICE_OBJECT DeviceObject;
  PFILE_OBJECT Files[MIRROR_SIDES];
  PDEVICE_OBJECT Sides[MIRROR_SIDES];
  volatile LONG Failed[MIRROR_SIDES]; /* 0, or the status that ended the side */
  volatile LONG Requests[MIRROR_SIDES];
  UNICODE_STRING Name;
  WCHAR NameBuffer[STORAGE_NAME_CHARS];
} MIRROR, *PMIRROR;

static inline NTSTATUS MirrorComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information) {
  Irp->IoStatus.Status = Status;
  Irp->IoStatus.Information = Information;
  IoCompleteRequest(Irp, NT_SUCCESS(Status) ? IO_DISK_INCREMENT : IO_NO_INCREMENT);
  return Status;
}

/* Whether the status says that the request was wrong, or was given up, rather than that the side is bad. */
static inline BOOLEAN MirrorIsRequestsFault(NTSTATUS Status) {
  return Status == STATUS_INVALID_PARAMETER || Status == STATUS_INVALID_DEVICE_REQUEST || Status == STATUS_CANCELLED ||
         Status == STATUS_VERIFY_REQUIRED || Status == STATUS_MEDIA_WRITE_PROTECTED ||
         Status == STATUS_NONEXISTENT_SECTOR || Status == STATUS_INSUFFICIENT_RESOURCES;
}

/* driver_entry.c */
VOID MirrorFailSide(PMIRROR Mirror, ULONG Side, NTSTATUS Status);
/* The first side that works, or MIRROR_SIDES. */
ULONG MirrorFirstSide(PMIRROR Mirror);

DRIVER_DISPATCH MirrorRead;          /* read.c */
DRIVER_DISPATCH MirrorWriteOrFlush;  /* write.c */
DRIVER_DISPATCH MirrorDeviceControl; /* control.c */

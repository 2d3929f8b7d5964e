/* legacy_passthrough: a legacy file-system filter that attaches to every file system and volume and passes everything on.

   Uses include/wdk only. Its devices: one above each file system's control device (attach.c, from the registration callback),
   one above each volume (when a mount succeeds, or when the volume was there first). Each knows the device below, and that
   is all its state. Lock: LpAttachMutex, over looking for our device in a stack and attaching it. */
#pragma once

#include <ntifs.h>

#define LP_TAG 'psLL'
#define LP_ENTRIES 28 /* entries are numbered from 1, in the order of FAST_IO_DISPATCH */

typedef struct _LP_EXTENSION {
  PDEVICE_OBJECT Lower; /* the next device down; set by the attach, before requests can come */
} LP_EXTENSION, *PLP_EXTENSION;

/* What the values of the service's Parameters key ask for; all zero: pass everything on. Bit n stands for entry n. */
typedef struct _LP_PARAMETERS {
  ULONG DeclineMask; /* the entry answers FALSE and calls nobody */
  ULONG AbsentMask;  /* the entry is left out of the table */
  ULONG FailMask;    /* the entry answers TRUE with FailStatus and calls nobody (entries that have an IO_STATUS_BLOCK) */
  ULONG FailStatus;
  ULONG TableBytes;  /* SizeOfFastIoDispatch; 0: the structure's size */
  ULONG NoTable;     /* no table at all */
} LP_PARAMETERS;

extern PDRIVER_OBJECT LpDriver;
extern LP_PARAMETERS LpParameters;
extern FAST_MUTEX LpAttachMutex;

/* attach.c */
DRIVER_FS_NOTIFICATION LpFileSystemChange;
NTSTATUS LpCreateDevice(PDEVICE_OBJECT Target, PDEVICE_OBJECT *Device);
NTSTATUS LpAttach(PDEVICE_OBJECT Device, PDEVICE_OBJECT Target);
BOOLEAN LpIsAttachedTo(PDEVICE_OBJECT Target);
VOID LpDetachAll(VOID);

/* fs_control.c */
DRIVER_DISPATCH LpFsControl;

/* fast_io.c */
VOID LpFillTable(PFAST_IO_DISPATCH Table);

static inline PLP_EXTENSION LpExtension(PDEVICE_OBJECT Device) {
  return (PLP_EXTENSION)Device->DeviceExtension;
}

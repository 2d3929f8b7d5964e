/* ramdisk: a lowest-level driver. Its device is a piece of memory; requests go through the device's queue and its
   StartIo routine one at a time, and are completed by its DPC, as those of a device that interrupts. */
#pragma once
#include <ntddk.h>
#include <mountdev.h>
#include <ntdddisk.h>
#include <ntddstor.h>

#include "../common/parameters.h"

#define RAMDISK_TAG 'DmaR'

typedef struct _RAMDISK {
  PDEVICE_OBJECT DeviceObject;
  PUCHAR Memory; /* nonpaged: it is read and written at DISPATCH_LEVEL */
  ULONGLONG Bytes;
  ULONG SectorBytes;
  BOOLEAN ReadOnly;
  ULONG DelayMicroseconds; /* 0: the device is done at once */
  KTIMER DelayTimer;
  KDPC DelayDpc;
  UNICODE_STRING Name;
  WCHAR NameBuffer[STORAGE_NAME_CHARS];
} RAMDISK, *PRAMDISK;

static inline NTSTATUS RamdiskComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information, CCHAR Boost) {
  Irp->IoStatus.Status = Status;
  Irp->IoStatus.Information = Information;
  IoCompleteRequest(Irp, Boost);
  return Status;
}

/* transfer.c */
DRIVER_DISPATCH RamdiskReadWrite;
DRIVER_STARTIO RamdiskStartIo;
VOID RamdiskInitializeTransfers(PRAMDISK Disk);

/* control.c */
DRIVER_DISPATCH RamdiskDeviceControl;

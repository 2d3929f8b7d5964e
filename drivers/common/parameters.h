/* What the storage drivers read from the Parameters key of their service, and the disks it names. */
#pragma once
#include <ntddk.h>

/* A REG_DWORD value, or the default when it is not there. */
ULONG StorageQueryDword(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Default);

/* Opens the disks that the REG_MULTI_SZ value "Disks" names, in order, for their attributes: nothing is mounted on
   them. Devices[i] is the top of the disk's stack. The file objects keep the devices; the caller dereferences them.
   STATUS_DEVICE_CONFIGURATION_ERROR: fewer than Minimum or more than Maximum are named. */
NTSTATUS StorageOpenDisks(PUNICODE_STRING RegistryPath, ULONG Minimum, ULONG Maximum, PFILE_OBJECT* Files,
                          PDEVICE_OBJECT* Devices, PULONG Count);

/* A device control request, waited for. IRQL PASSIVE_LEVEL. */
NTSTATUS StorageControl(PDEVICE_OBJECT Device, ULONG Code, PVOID Output, ULONG OutputBytes);

/* Creates Device\<Prefix><n> with the first free n. Name is for a later query; its buffer lies in NameBuffer. */
#define STORAGE_NAME_CHARS 32
NTSTATUS StorageCreateNamedDisk(PDRIVER_OBJECT DriverObject, ULONG ExtensionBytes, PCWSTR Prefix, ULONG Characteristics,
                                WCHAR NameBuffer[STORAGE_NAME_CHARS], PUNICODE_STRING Name, PDEVICE_OBJECT* Device);

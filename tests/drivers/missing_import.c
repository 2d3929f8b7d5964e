/* A driver that imports what no Windows kernel has. */
#include <ntifs.h>

__declspec(dllimport) NTSTATUS NTAPI NtioNoSuchRoutine(ULONG Argument);
__declspec(dllimport) NTSTATUS NTAPI NtioNorThisOne(VOID);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(DriverObject);
  UNREFERENCED_PARAMETER(RegistryPath);
  return NtioNoSuchRoutine(1) + NtioNorThisOne();
}

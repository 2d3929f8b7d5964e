/* The 21 entries of a legacy filter. Each hands the call to the next device down, with that device as DeviceObject, when that
   device's driver has the entry; otherwise it answers FALSE, and the requester sends an IRP. The six entries with which Mm and
   the cache manager acquire a file stay empty: they go to the file system itself, never to a filter. */
#include "filter.h"

#define HAS_ENTRY(Table, Field)                                                                               \
  ((Table) != NULL && (Table)->SizeOfFastIoDispatch >= RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, Field) && \
   (Table)->Field != NULL)

#define IS_SET(Mask, Number) ((LpParameters.Mask >> (Number)) & 1)

/* The body of an entry without an IO_STATUS_BLOCK. `Lower` is for the arguments. */
#define PASS_ON(Number, Field, Arguments)                                                          \
  PDEVICE_OBJECT Lower = LpExtension(DeviceObject)->Lower;                                         \
  PFAST_IO_DISPATCH Table = Lower != NULL ? Lower->DriverObject->FastIoDispatch : NULL;           \
  if (IS_SET(DeclineMask, Number) || !HAS_ENTRY(Table, Field)) return FALSE;                       \
  return Table->Field Arguments

/* The body of one that has it. */
#define PASS_ON_OR_FAIL(Number, Field, Arguments)          \
  if (IS_SET(FailMask, Number)) {                          \
    IoStatus->Status = (NTSTATUS)LpParameters.FailStatus; \
    IoStatus->Information = 0;                             \
    return TRUE;                                           \
  }                                                        \
  PASS_ON(Number, Field, Arguments)

static BOOLEAN NTAPI LpCheckIfPossible(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                                       ULONG LockKey, BOOLEAN CheckForReadOperation, PIO_STATUS_BLOCK IoStatus,
                                       PDEVICE_OBJECT DeviceObject) {
  PASS_ON(1, FastIoCheckIfPossible,
          (FileObject, FileOffset, Length, Wait, LockKey, CheckForReadOperation, IoStatus, Lower));
}

static BOOLEAN NTAPI LpRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, ULONG LockKey,
                            PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(2, FastIoRead, (FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus, Lower));
}

static BOOLEAN NTAPI LpWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, ULONG LockKey,
                             PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(3, FastIoWrite, (FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus, Lower));
}

static BOOLEAN NTAPI LpQueryBasicInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_BASIC_INFORMATION Buffer,
                                      PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(4, FastIoQueryBasicInfo, (FileObject, Wait, Buffer, IoStatus, Lower));
}

static BOOLEAN NTAPI LpQueryStandardInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_STANDARD_INFORMATION Buffer,
                                         PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(5, FastIoQueryStandardInfo, (FileObject, Wait, Buffer, IoStatus, Lower));
}

static BOOLEAN NTAPI LpLock(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length, PEPROCESS ProcessId,
                            ULONG Key, BOOLEAN FailImmediately, BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus,
                            PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(6, FastIoLock,
                  (FileObject, FileOffset, Length, ProcessId, Key, FailImmediately, ExclusiveLock, IoStatus, Lower));
}

static BOOLEAN NTAPI LpUnlockSingle(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length,
                                    PEPROCESS ProcessId, ULONG Key, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(7, FastIoUnlockSingle, (FileObject, FileOffset, Length, ProcessId, Key, IoStatus, Lower));
}

static BOOLEAN NTAPI LpUnlockAll(PFILE_OBJECT FileObject, PEPROCESS ProcessId, PIO_STATUS_BLOCK IoStatus,
                                 PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(8, FastIoUnlockAll, (FileObject, ProcessId, IoStatus, Lower));
}

static BOOLEAN NTAPI LpUnlockAllByKey(PFILE_OBJECT FileObject, PVOID ProcessId, ULONG Key, PIO_STATUS_BLOCK IoStatus,
                                      PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(9, FastIoUnlockAllByKey, (FileObject, ProcessId, Key, IoStatus, Lower));
}

static BOOLEAN NTAPI LpDeviceControl(PFILE_OBJECT FileObject, BOOLEAN Wait, PVOID InputBuffer, ULONG InputBufferLength,
                                     PVOID OutputBuffer, ULONG OutputBufferLength, ULONG IoControlCode,
                                     PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(10, FastIoDeviceControl,
                  (FileObject, Wait, InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength, IoControlCode,
                   IoStatus, Lower));
}

/* The device below is being deleted: leave it, and go. */
static VOID NTAPI LpDetachDevice(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice) {
  IoDetachDevice(TargetDevice);
  IoDeleteDevice(SourceDevice);
}

static BOOLEAN NTAPI LpQueryNetworkOpenInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_NETWORK_OPEN_INFORMATION Buffer,
                                            PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(14, FastIoQueryNetworkOpenInfo, (FileObject, Wait, Buffer, IoStatus, Lower));
}

static BOOLEAN NTAPI LpMdlRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                               PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(16, MdlRead, (FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus, Lower));
}

static BOOLEAN NTAPI LpMdlReadComplete(PFILE_OBJECT FileObject, PMDL MdlChain, PDEVICE_OBJECT DeviceObject) {
  PASS_ON(17, MdlReadComplete, (FileObject, MdlChain, Lower));
}

static BOOLEAN NTAPI LpPrepareMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                       PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(18, PrepareMdlWrite, (FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus, Lower));
}

static BOOLEAN NTAPI LpMdlWriteComplete(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain,
                                        PDEVICE_OBJECT DeviceObject) {
  PASS_ON(19, MdlWriteComplete, (FileObject, FileOffset, MdlChain, Lower));
}

static BOOLEAN NTAPI LpReadCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                      PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                      PCOMPRESSED_DATA_INFO CompressedDataInfo, ULONG CompressedDataInfoLength,
                                      PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(20, FastIoReadCompressed,
                  (FileObject, FileOffset, Length, LockKey, Buffer, MdlChain, IoStatus, CompressedDataInfo,
                   CompressedDataInfoLength, Lower));
}

static BOOLEAN NTAPI LpWriteCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                       PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                       PCOMPRESSED_DATA_INFO CompressedDataInfo, ULONG CompressedDataInfoLength,
                                       PDEVICE_OBJECT DeviceObject) {
  PASS_ON_OR_FAIL(21, FastIoWriteCompressed,
                  (FileObject, FileOffset, Length, LockKey, Buffer, MdlChain, IoStatus, CompressedDataInfo,
                   CompressedDataInfoLength, Lower));
}

static BOOLEAN NTAPI LpMdlReadCompleteCompressed(PFILE_OBJECT FileObject, PMDL MdlChain, PDEVICE_OBJECT DeviceObject) {
  PASS_ON(22, MdlReadCompleteCompressed, (FileObject, MdlChain, Lower));
}

static BOOLEAN NTAPI LpMdlWriteCompleteCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain,
                                                  PDEVICE_OBJECT DeviceObject) {
  PASS_ON(23, MdlWriteCompleteCompressed, (FileObject, FileOffset, MdlChain, Lower));
}

/* The IRP is a create that is not sent: its current location names the device that is asked, on the way down and, whatever
   the answer was, again on the way up. */
static BOOLEAN NTAPI LpQueryOpen(PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION NetworkInformation, PDEVICE_OBJECT DeviceObject) {
  PDEVICE_OBJECT lower = LpExtension(DeviceObject)->Lower;
  PFAST_IO_DISPATCH table = lower != NULL ? lower->DriverObject->FastIoDispatch : NULL;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
  BOOLEAN answered;
  if (IS_SET(FailMask, 24)) {
    Irp->IoStatus.Status = (NTSTATUS)LpParameters.FailStatus;
    Irp->IoStatus.Information = 0;
    return TRUE;
  }
  if (IS_SET(DeclineMask, 24) || !HAS_ENTRY(table, FastIoQueryOpen)) return FALSE;
  location->DeviceObject = lower;
  answered = table->FastIoQueryOpen(Irp, NetworkInformation, lower);
  location->DeviceObject = DeviceObject;
  return answered;
}

VOID LpFillTable(PFAST_IO_DISPATCH fastIoDispatch) {
  PVOID *entries = (PVOID *)fastIoDispatch;
  ULONG i;

  fastIoDispatch->SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH);
  fastIoDispatch->FastIoCheckIfPossible = LpCheckIfPossible;
  fastIoDispatch->FastIoRead = LpRead;
  fastIoDispatch->FastIoWrite = LpWrite;
  fastIoDispatch->FastIoQueryBasicInfo = LpQueryBasicInfo;
  fastIoDispatch->FastIoQueryStandardInfo = LpQueryStandardInfo;
  fastIoDispatch->FastIoLock = LpLock;
  fastIoDispatch->FastIoUnlockSingle = LpUnlockSingle;
  fastIoDispatch->FastIoUnlockAll = LpUnlockAll;
  fastIoDispatch->FastIoUnlockAllByKey = LpUnlockAllByKey;
  fastIoDispatch->FastIoDeviceControl = LpDeviceControl;
  fastIoDispatch->FastIoDetachDevice = LpDetachDevice;
  fastIoDispatch->FastIoQueryNetworkOpenInfo = LpQueryNetworkOpenInfo;
  fastIoDispatch->MdlRead = LpMdlRead;
  fastIoDispatch->MdlReadComplete = LpMdlReadComplete;
  fastIoDispatch->PrepareMdlWrite = LpPrepareMdlWrite;
  fastIoDispatch->MdlWriteComplete = LpMdlWriteComplete;
  fastIoDispatch->FastIoReadCompressed = LpReadCompressed;
  fastIoDispatch->FastIoWriteCompressed = LpWriteCompressed;
  fastIoDispatch->MdlReadCompleteCompressed = LpMdlReadCompleteCompressed;
  fastIoDispatch->MdlWriteCompleteCompressed = LpMdlWriteCompleteCompressed;
  fastIoDispatch->FastIoQueryOpen = LpQueryOpen;

  for (i = 1; i < LP_ENTRIES; i++)
    if (IS_SET(AbsentMask, i)) entries[i] = NULL;
  if (LpParameters.TableBytes != 0) fastIoDispatch->SizeOfFastIoDispatch = LpParameters.TableBytes;
}

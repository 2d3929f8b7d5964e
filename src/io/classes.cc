// What the information services ask of each class: bytes, access, alignment. Zero bytes: not a class of that service.
#include "src/io/internal.h"

namespace nt::io {
namespace {

template <class T>
constexpr ClassRow Row(ACCESS_MASK access = 0) {
  return {sizeof(T), access, alignof(T)};
}

constexpr ClassRow QueryFile(int information_class) {
  switch (information_class) {
    case FileBasicInformation: return Row<FILE_BASIC_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileStandardInformation: return Row<FILE_STANDARD_INFORMATION>();
    case FileInternalInformation: return Row<FILE_INTERNAL_INFORMATION>();
    case FileEaInformation: return Row<FILE_EA_INFORMATION>();
    case FileAccessInformation: return Row<FILE_ACCESS_INFORMATION>();
    case FileNameInformation: return Row<FILE_NAME_INFORMATION>();
    case FilePositionInformation: return Row<FILE_POSITION_INFORMATION>();
    case FileModeInformation: return Row<FILE_MODE_INFORMATION>();
    case FileAlignmentInformation: return Row<FILE_ALIGNMENT_INFORMATION>();
    case FileAllInformation: return Row<FILE_ALL_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileAlternateNameInformation: return Row<FILE_NAME_INFORMATION>();
    case FileStreamInformation: return Row<FILE_STREAM_INFORMATION>();
    case FilePipeInformation: return Row<FILE_PIPE_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FilePipeLocalInformation: return Row<FILE_PIPE_LOCAL_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FilePipeRemoteInformation: return Row<FILE_PIPE_REMOTE_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileMailslotQueryInformation: return Row<FILE_MAILSLOT_QUERY_INFORMATION>();
    case FileCompressionInformation: return Row<FILE_COMPRESSION_INFORMATION>();
    case FileObjectIdInformation: return Row<FILE_OBJECTID_INFORMATION>();
    case FileReparsePointInformation: return Row<FILE_REPARSE_POINT_INFORMATION>();
    case FileNetworkOpenInformation: return Row<FILE_NETWORK_OPEN_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileAttributeTagInformation: return Row<FILE_ATTRIBUTE_TAG_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileIoCompletionNotificationInformation: return Row<FILE_IO_COMPLETION_NOTIFICATION_INFORMATION>();
    case FileHardLinkInformation: return Row<FILE_LINKS_INFORMATION>();
    case FileHardLinkFullIdInformation: return Row<FILE_LINKS_FULL_ID_INFORMATION>();
    case FileNormalizedNameInformation: return Row<FILE_NAME_INFORMATION>();
    case FileIsRemoteDeviceInformation: return Row<FILE_IS_REMOTE_DEVICE_INFORMATION>();
    case FileStandardLinkInformation: return Row<FILE_STANDARD_LINK_INFORMATION>();
    case FileRemoteProtocolInformation: return Row<FILE_REMOTE_PROTOCOL_INFORMATION>();
    case FileVolumeNameInformation: return Row<FILE_VOLUME_NAME_INFORMATION>();
    case FileIdInformation: return Row<FILE_ID_INFORMATION>();
    case FileStatInformation: return Row<FILE_STAT_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileStatLxInformation: return Row<FILE_STAT_LX_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileCaseSensitiveInformation: return Row<FILE_CASE_SENSITIVE_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileStorageReserveIdInformation: return Row<FILE_STORAGE_RESERVE_ID_INFORMATION>(FILE_READ_ATTRIBUTES);
    default: return {0, 0, 1};
  }
}

constexpr ClassRow SetFile(int information_class) {
  switch (information_class) {
    case FileBasicInformation: return Row<FILE_BASIC_INFORMATION>(FILE_WRITE_ATTRIBUTES);
    case FileRenameInformation:
    case FileRenameInformationEx: return Row<FILE_RENAME_INFORMATION>(DELETE);
    case FileLinkInformation:
    case FileLinkInformationEx: return Row<FILE_LINK_INFORMATION>();
    case FileDispositionInformation: return Row<FILE_DISPOSITION_INFORMATION>(DELETE);
    case FileDispositionInformationEx: return Row<FILE_DISPOSITION_INFORMATION_EX>(DELETE);
    case FilePositionInformation: return Row<FILE_POSITION_INFORMATION>();
    case FileModeInformation: return Row<FILE_MODE_INFORMATION>();
    case FileAllocationInformation: return Row<FILE_ALLOCATION_INFORMATION>(FILE_WRITE_DATA);
    case FileEndOfFileInformation: return Row<FILE_END_OF_FILE_INFORMATION>(FILE_WRITE_DATA);
    case FilePipeInformation: return Row<FILE_PIPE_INFORMATION>(FILE_WRITE_ATTRIBUTES);
    case FilePipeRemoteInformation: return Row<FILE_PIPE_REMOTE_INFORMATION>(FILE_WRITE_ATTRIBUTES);
    case FileMailslotSetInformation: return Row<FILE_MAILSLOT_SET_INFORMATION>();
    case FileObjectIdInformation: return Row<FILE_OBJECTID_INFORMATION>(FILE_WRITE_DATA);
    case FileCompletionInformation:
    case FileReplaceCompletionInformation: return Row<FILE_COMPLETION_INFORMATION>();
    case FileMoveClusterInformation: return Row<FILE_MOVE_CLUSTER_INFORMATION>(FILE_WRITE_DATA);
    case FileTrackingInformation: return Row<FILE_TRACKING_INFORMATION>(FILE_WRITE_DATA);
    case FileValidDataLengthInformation: return Row<FILE_VALID_DATA_LENGTH_INFORMATION>(FILE_WRITE_DATA);
    case FileShortNameInformation: return Row<FILE_NAME_INFORMATION>(DELETE);
    case FileIoCompletionNotificationInformation: return Row<FILE_IO_COMPLETION_NOTIFICATION_INFORMATION>();
    case FileCaseSensitiveInformation: return Row<FILE_CASE_SENSITIVE_INFORMATION>(FILE_WRITE_ATTRIBUTES);
    case FileStorageReserveIdInformation: return Row<FILE_STORAGE_RESERVE_ID_INFORMATION>(FILE_WRITE_ATTRIBUTES);
    default: return {0, 0, 1};
  }
}

constexpr ClassRow QueryVolume(int information_class) {
  switch (information_class) {
    case FileFsVolumeInformation: return Row<FILE_FS_VOLUME_INFORMATION>();
    case FileFsSizeInformation: return Row<FILE_FS_SIZE_INFORMATION>();
    case FileFsDeviceInformation: return Row<FILE_FS_DEVICE_INFORMATION>();
    case FileFsAttributeInformation: return Row<FILE_FS_ATTRIBUTE_INFORMATION>();
    case FileFsControlInformation: return Row<FILE_FS_CONTROL_INFORMATION>(FILE_READ_DATA);
    case FileFsFullSizeInformation: return Row<FILE_FS_FULL_SIZE_INFORMATION>();
    case FileFsFullSizeInformationEx: return Row<FILE_FS_FULL_SIZE_INFORMATION_EX>();
    case FileFsObjectIdInformation: return Row<FILE_FS_OBJECTID_INFORMATION>();
    case FileFsDriverPathInformation: return Row<FILE_FS_DRIVER_PATH_INFORMATION>();
    case FileFsVolumeFlagsInformation: return Row<FILE_FS_VOLUME_FLAGS_INFORMATION>(FILE_READ_ATTRIBUTES);
    case FileFsSectorSizeInformation: return Row<FILE_FS_SECTOR_SIZE_INFORMATION>();
    case FileFsDataCopyInformation: return Row<FILE_FS_DATA_COPY_INFORMATION>();
    case FileFsMetadataSizeInformation: return Row<FILE_FS_METADATA_SIZE_INFORMATION>();
    default: return {0, 0, 1};
  }
}

constexpr ClassRow SetVolume(int information_class) {
  switch (information_class) {
    case FileFsLabelInformation: return Row<FILE_FS_LABEL_INFORMATION>(FILE_WRITE_DATA);
    case FileFsControlInformation: return Row<FILE_FS_CONTROL_INFORMATION>(FILE_WRITE_DATA);
    case FileFsObjectIdInformation: return Row<FILE_FS_OBJECTID_INFORMATION>(FILE_WRITE_DATA);
    case FileFsVolumeFlagsInformation: return Row<FILE_FS_VOLUME_FLAGS_INFORMATION>(FILE_WRITE_ATTRIBUTES);
    default: return {0, 0, 1};
  }
}

template <ClassRow (*kMake)(int), int kCount>
const ClassRow* Find(int information_class) {
  static constexpr auto kTable = [] {
    struct Table {
      ClassRow rows[kCount];
    } table{};
    for (int i = 0; i < kCount; i++) table.rows[i] = kMake(i);
    return table;
  }();
  if (information_class < 0 || information_class >= kCount || kTable.rows[information_class].minimum_bytes == 0)
    return nullptr;
  return &kTable.rows[information_class];
}

Status Check(const ClassRow* row, ULONG length) {
  if (!row) return STATUS_INVALID_INFO_CLASS;
  return length < row->minimum_bytes ? STATUS_INFO_LENGTH_MISMATCH : STATUS_SUCCESS;
}

}  // namespace

const ClassRow* QueryFileClass(FILE_INFORMATION_CLASS information_class) {
  return Find<QueryFile, FileMaximumInformation>(information_class);
}
const ClassRow* SetFileClass(FILE_INFORMATION_CLASS information_class) {
  return Find<SetFile, FileMaximumInformation>(information_class);
}
const ClassRow* QueryVolumeClass(FS_INFORMATION_CLASS information_class) {
  return Find<QueryVolume, FileFsMaximumInformation>(information_class);
}
const ClassRow* SetVolumeClass(FS_INFORMATION_CLASS information_class) {
  return Find<SetVolume, FileFsMaximumInformation>(information_class);
}

Status CheckQuerySetFileInformation(FILE_INFORMATION_CLASS information_class, ULONG length, bool set) {
  return Check(set ? SetFileClass(information_class) : QueryFileClass(information_class), length);
}
Status CheckQuerySetVolumeInformation(FS_INFORMATION_CLASS information_class, ULONG length, bool set) {
  return Check(set ? SetVolumeClass(information_class) : QueryVolumeClass(information_class), length);
}

ULONG FileModeOf(const FILE_OBJECT* file) {
  ULONG mode = 0;
  if (file->Flags & FO_SYNCHRONOUS_IO)
    mode |= file->Flags & FO_ALERTABLE_IO ? FILE_SYNCHRONOUS_IO_ALERT : FILE_SYNCHRONOUS_IO_NONALERT;
  if (file->Flags & FO_NO_INTERMEDIATE_BUFFERING) mode |= FILE_NO_INTERMEDIATE_BUFFERING;
  if (file->Flags & FO_WRITE_THROUGH) mode |= FILE_WRITE_THROUGH;
  if (file->Flags & FO_SEQUENTIAL_ONLY) mode |= FILE_SEQUENTIAL_ONLY;
  if (file->Flags & FO_DELETE_ON_CLOSE) mode |= FILE_DELETE_ON_CLOSE;
  return mode;
}

}  // namespace nt::io

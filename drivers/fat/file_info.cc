// IRP_MJ_QUERY_INFORMATION. Also answers the fast queries: one function fills each class.
#include "file_info.h"

namespace fat {

ULONG FileAttributes(const Fcb& fcb) {
  ULONG attributes = fcb.attributes & (kAttrSettable | kAttrDirectory);
  if (fcb.is_directory()) attributes |= FILE_ATTRIBUTE_DIRECTORY;
  return attributes != 0 ? attributes : FILE_ATTRIBUTE_NORMAL;
}

void FillBasic(const Fcb& fcb, FILE_BASIC_INFORMATION* info) {
  info->CreationTime = fcb.creation_time;
  info->LastAccessTime = fcb.access_time;
  info->LastWriteTime = fcb.write_time;
  info->ChangeTime.QuadPart = 0;
  info->FileAttributes = FileAttributes(fcb);
}

void FillStandard(const Fcb& fcb, FILE_STANDARD_INFORMATION* info) {
  const bool directory = fcb.is_directory();
  info->AllocationSize.QuadPart = directory ? 0 : fcb.header.AllocationSize.QuadPart;
  info->EndOfFile.QuadPart = directory ? 0 : fcb.file_size();
  info->NumberOfLinks = fcb.delete_pending ? 0 : 1;
  info->DeletePending = fcb.delete_pending;
  info->Directory = directory;
}

void FillNetworkOpen(const Fcb& fcb, FILE_NETWORK_OPEN_INFORMATION* info) {
  const bool directory = fcb.is_directory();
  info->CreationTime = fcb.creation_time;
  info->LastAccessTime = fcb.access_time;
  info->LastWriteTime = fcb.write_time;
  info->ChangeTime.QuadPart = 0;
  info->AllocationSize.QuadPart = directory ? 0 : fcb.header.AllocationSize.QuadPart;
  info->EndOfFile.QuadPart = directory ? 0 : fcb.file_size();
  info->FileAttributes = FileAttributes(fcb);
}

namespace {

/// The output buffer, taken piece by piece.
struct Output {
  UCHAR* buffer;
  ULONG room;
  ULONG used = 0;

  template <typename T>
  T* Take() {
    if (room - used < sizeof(T)) return nullptr;
    T* piece = reinterpret_cast<T*>(buffer + used);
    RtlZeroMemory(piece, sizeof(T));
    used += sizeof(T);
    return piece;
  }
};

/// A structure whose last member is a counted string that may not fit whole.
template <typename T>
NTSTATUS PutName(Output& out, const UNICODE_STRING& name) {
  constexpr ULONG kFixed = FIELD_OFFSET(T, FileName);
  if (out.room - out.used < kFixed) return STATUS_INFO_LENGTH_MISMATCH;
  T* info = reinterpret_cast<T*>(out.buffer + out.used);
  info->FileNameLength = name.Length;
  out.used += kFixed;
  const ULONG bytes = Min(static_cast<ULONG>(name.Length), out.room - out.used);
  RtlCopyMemory(out.buffer + out.used, name.Buffer, bytes);
  out.used += bytes;
  return bytes == name.Length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS PutFullPath(Fcb& fcb, Output& out) {
  UNICODE_STRING path;
  USHORT last;
  FAT_TRY_STATUS(FullPath(fcb, &path, &last));
  const NTSTATUS status = PutName<FILE_NAME_INFORMATION>(out, path);
  FreeString(&path);
  return status;
}

NTSTATUS PutAll(Fcb& fcb, PFILE_OBJECT file, Output& out) {
  constexpr ULONG kFixed = FIELD_OFFSET(FILE_ALL_INFORMATION, NameInformation);
  if (out.room < kFixed + FIELD_OFFSET(FILE_NAME_INFORMATION, FileName)) return STATUS_INFO_LENGTH_MISMATCH;
  FILE_ALL_INFORMATION* all = reinterpret_cast<FILE_ALL_INFORMATION*>(out.buffer);
  RtlZeroMemory(all, kFixed);
  FillBasic(fcb, &all->BasicInformation);
  FillStandard(fcb, &all->StandardInformation);
  all->InternalInformation.IndexNumber.QuadPart = static_cast<LONGLONG>(FileId(fcb));
  all->PositionInformation.CurrentByteOffset = file->CurrentByteOffset;
  out.used = kFixed;
  return PutFullPath(fcb, out);
}

NTSTATUS Fill(Fcb& fcb, PFILE_OBJECT file, FILE_INFORMATION_CLASS information_class, Output& out) {
  switch (information_class) {
    case FileBasicInformation: {
      auto* info = out.Take<FILE_BASIC_INFORMATION>();
      if (info != nullptr) FillBasic(fcb, info);
      break;
    }
    case FileStandardInformation: {
      auto* info = out.Take<FILE_STANDARD_INFORMATION>();
      if (info != nullptr) FillStandard(fcb, info);
      break;
    }
    case FileInternalInformation: {
      auto* info = out.Take<FILE_INTERNAL_INFORMATION>();
      if (info != nullptr) info->IndexNumber.QuadPart = static_cast<LONGLONG>(FileId(fcb));
      break;
    }
    case FileEaInformation:
      out.Take<FILE_EA_INFORMATION>();  // none
      break;
    case FilePositionInformation: {
      auto* info = out.Take<FILE_POSITION_INFORMATION>();
      if (info != nullptr) info->CurrentByteOffset = file->CurrentByteOffset;
      break;
    }
    case FileNetworkOpenInformation: {
      auto* info = out.Take<FILE_NETWORK_OPEN_INFORMATION>();
      if (info != nullptr) FillNetworkOpen(fcb, info);
      break;
    }
    case FileAttributeTagInformation: {
      auto* info = out.Take<FILE_ATTRIBUTE_TAG_INFORMATION>();
      if (info != nullptr) info->FileAttributes = FileAttributes(fcb);
      break;
    }
    case FileNameInformation:
    case FileNormalizedNameInformation:
      return PutFullPath(fcb, out);
    case FileAlternateNameInformation:
      if (fcb.parent == nullptr) return STATUS_OBJECT_NAME_NOT_FOUND;
      return PutName<FILE_NAME_INFORMATION>(out, fcb.short_name);
    case FileAllInformation:
      return PutAll(fcb, file, out);
    default:
      return STATUS_INVALID_PARAMETER;
  }
  return out.used != 0 ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
}

}  // namespace

NTSTATUS QueryInformation(IrpContext& context) {
  PIRP irp = context.irp;
  PIO_STACK_LOCATION stack = context.stack();
  PFILE_OBJECT file = stack->FileObject;
  Fcb& fcb = *FcbOf(file);
  FAT_TRY_STATUS(VerifyVolume(context, CcbOf(file)));
  if (fcb.kind == FcbKind::kVolume) return STATUS_INVALID_PARAMETER;

  // FsRtlGetFileSize asks from below the file's locks.
  const bool paging = context.paging();
  ResourceGuard volume;
  ResourceGuard guard;
  if (!paging) {
    volume.Shared(context.vcb->resource);
    guard.Shared(fcb.np->resource);
  }
  Output out{static_cast<UCHAR*>(irp->AssociatedIrp.SystemBuffer), stack->Parameters.QueryFile.Length};
  const NTSTATUS status = Fill(fcb, file, stack->Parameters.QueryFile.FileInformationClass, out);
  irp->IoStatus.Information = NT_ERROR(status) ? 0 : out.used;
  return status;
}

NTSTATUS RefuseExtendedAttributes(IrpContext&) { return STATUS_EAS_NOT_SUPPORTED; }

}  // namespace fat

// Names of volumes and files as Win32 knows them: the symbolic links of \GLOBAL?? that lead to a device.
#include <cstring>

#include "src/io/internal.h"

namespace nt::io {
namespace {

std::u16string LinkTarget(void* link) {
  if (ob::TypeOf(link) != ob::g_symbolic_link_type) return {};
  std::u16string text(512, u'\0');
  UNICODE_STRING target;
  target.Buffer = text.data();
  target.Length = 0;
  target.MaximumLength = static_cast<USHORT>(text.size() * sizeof(WCHAR));
  if (!ob::QuerySymbolicLink(link, &target, nullptr).ok()) return {};
  text.resize(target.Length / sizeof(WCHAR));
  return text;
}

bool IsDriveLetter(const std::u16string& name) { return name.size() == 2 && name[1] == u':'; }
bool IsVolumeGuid(const std::u16string& name) { return name.size() == 44 && name.compare(0, 7, u"Volume{") == 0; }

/// The first link of \GLOBAL?? to `device` that `accept` takes.
template <class F>
std::u16string FindLink(const std::u16string& device, F&& accept) {
  std::u16string found;
  char16_t path[] = u"\\GLOBAL??";
  UNICODE_STRING directory;
  directory.Buffer = path;
  directory.Length = directory.MaximumLength = sizeof path - sizeof(WCHAR);
  ob::EnumerateDirectory(&directory, [&](const std::u16string& name, void* object) {
    if (found.empty() && accept(name) && LinkTarget(object) == device) found = name;
  }).Ignore();  // the directory is there from boot on
  return found;
}

/// The storage device that a volume device of a file system, or a storage device, stands for.
DEVICE_OBJECT* StorageOf(DEVICE_OBJECT* device) {
  DEVICE_OBJECT* disk = nullptr;
  if (!GetDiskDeviceObject(device, &disk).ok()) return device;
  ob::DereferenceObject(disk);  // the mount keeps it
  return disk;
}

Status ToPool(const std::u16string& text, UNICODE_STRING* out) {
  const auto bytes = static_cast<USHORT>(text.size() * sizeof(WCHAR));
  out->Buffer = static_cast<WCHAR*>(ex::AllocatePool(PagedPool, bytes + sizeof(WCHAR), 'mNoI'));
  if (!out->Buffer) return STATUS_INSUFFICIENT_RESOURCES;
  std::memcpy(out->Buffer, text.data(), bytes);
  out->Buffer[text.size()] = 0;
  out->Length = bytes;
  out->MaximumLength = static_cast<USHORT>(bytes + sizeof(WCHAR));
  return STATUS_SUCCESS;
}

Status GuidLink(DEVICE_OBJECT* volume, std::u16string* link) {
  const std::u16string name = ob::NameOf(StorageOf(volume));
  if (!name.empty()) *link = FindLink(name, IsVolumeGuid);
  return link->empty() ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS;
}

}  // namespace

Status VolumeDeviceToDosName(DEVICE_OBJECT* volume, UNICODE_STRING* out) {
  const std::u16string name = ob::NameOf(StorageOf(volume));
  std::u16string link = name.empty() ? std::u16string() : FindLink(name, IsDriveLetter);
  if (link.empty()) {
    NT_TRY(GuidLink(volume, &link));
    link = u"\\\\?\\" + link;
  }
  return ToPool(link, out);
}

/// "\??\Volume{...}"
Status VolumeDeviceToGuidPath(DEVICE_OBJECT* volume, UNICODE_STRING* out) {
  std::u16string link;
  NT_TRY(GuidLink(volume, &link));
  return ToPool(u"\\??\\" + link, out);
}

Status VolumeDeviceToGuid(DEVICE_OBJECT* volume, GUID* guid) {
  std::u16string link;
  NT_TRY(GuidLink(volume, &link));
  // Volume{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}
  UCHAR bytes[16];
  int count = 0;
  for (size_t i = 7; i < link.size() && count < 32; i++) {
    const char16_t c = link[i];
    int digit;
    if (c >= u'0' && c <= u'9') digit = c - u'0';
    else if (c >= u'a' && c <= u'f') digit = c - u'a' + 10;
    else if (c >= u'A' && c <= u'F') digit = c - u'A' + 10;
    else continue;
    if (count % 2 == 0) bytes[count / 2] = 0;
    bytes[count / 2] = static_cast<UCHAR>(bytes[count / 2] << 4 | digit);
    count++;
  }
  if (count != 32) return STATUS_OBJECT_NAME_INVALID;
  guid->Data1 = static_cast<ULONG>(bytes[0]) << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
  guid->Data2 = static_cast<USHORT>(bytes[4] << 8 | bytes[5]);
  guid->Data3 = static_cast<USHORT>(bytes[6] << 8 | bytes[7]);
  std::memcpy(guid->Data4, bytes + 8, 8);
  return STATUS_SUCCESS;
}

Status QueryFileDosDeviceName(FILE_OBJECT* file, OBJECT_NAME_INFORMATION** out) {
  UNICODE_STRING volume;
  NT_TRY(VolumeDeviceToDosName(file->DeviceObject, &volume));
  std::u16string text(volume.Buffer, volume.Length / sizeof(WCHAR));
  ex::FreePool(volume.Buffer);
  constexpr ULONG kBytes = sizeof(FILE_NAME_INFORMATION) + 0x8000;
  auto* information = static_cast<FILE_NAME_INFORMATION*>(ex::AllocatePool(PagedPool, kBytes, 'mNoI'));
  if (!information) return STATUS_INSUFFICIENT_RESOURCES;
  ULONG returned;
  Status status = QueryFileInformation(file, FileNameInformation, kBytes, information, &returned);
  if (status.ok()) text.append(information->FileName, information->FileNameLength / sizeof(WCHAR));
  ex::FreePool(information);
  if (!status.ok()) return status;
  const auto bytes = static_cast<ULONG>(text.size() * sizeof(WCHAR));
  auto* name = static_cast<OBJECT_NAME_INFORMATION*>(
      ex::AllocatePool(PagedPool, sizeof(OBJECT_NAME_INFORMATION) + bytes + sizeof(WCHAR), 'mNoI'));
  if (!name) return STATUS_INSUFFICIENT_RESOURCES;
  name->Name.Buffer = reinterpret_cast<WCHAR*>(name + 1);
  std::memcpy(name->Name.Buffer, text.data(), bytes);
  name->Name.Buffer[text.size()] = 0;
  name->Name.Length = static_cast<USHORT>(bytes);
  name->Name.MaximumLength = static_cast<USHORT>(bytes + sizeof(WCHAR));
  *out = name;
  return STATUS_SUCCESS;
}

}  // namespace nt::io

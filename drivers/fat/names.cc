// Names: what is legal, how long and short forms become Unicode, paths for notification.
#include "fat.h"

namespace fat {

bool IsLegalName(const UNICODE_STRING& name) {
  const ULONG chars = name.Length / sizeof(WCHAR);
  if (chars == 0 || chars > kMaxNameChars) return false;
  for (ULONG i = 0; i < chars; ++i) {
    const WCHAR c = name.Buffer[i];
    if (c < 0x20 || c == L'"' || c == L'*' || c == L'/' || c == L':' || c == L'<' || c == L'>' || c == L'?' ||
        c == L'\\' || c == L'|') {
      return false;
    }
  }
  // A name that ends so is another name to everyone else who reads the volume. This covers "." and "..".
  const WCHAR last = name.Buffer[chars - 1];
  return last != L'.' && last != L' ';
}

bool NamesEqual(const UNICODE_STRING& a, const UNICODE_STRING& b) {
  return a.Length == b.Length && RtlEqualUnicodeString(&a, &b, TRUE);
}

UCHAR ShortNameChecksum(const UCHAR name[11]) {
  UCHAR sum = 0;
  for (ULONG i = 0; i < 11; ++i) sum = static_cast<UCHAR>(((sum & 1) << 7) + (sum >> 1) + name[i]);
  return sum;
}

void DecodeShortName(const UCHAR name[11], UCHAR nt_case, bool apply_case, UNICODE_STRING* out) {
  CHAR oem[13];
  USHORT length = 0;
  const auto part = [&](ULONG from, ULONG count, bool lower) {
    ULONG used = count;
    while (used != 0 && name[from + used - 1] == ' ') --used;
    for (ULONG i = 0; i < used; ++i) {
      UCHAR c = name[from + i];
      if (from + i == 0 && c == kSlotKanjiE5) c = 0xE5;
      if (lower && c >= 'A' && c <= 'Z') c = static_cast<UCHAR>(c + 0x20);
      oem[length++] = static_cast<CHAR>(c);
    }
    return used;
  };
  part(0, 8, apply_case && (nt_case & kCaseLowerBase) != 0);
  oem[length++] = '.';
  if (part(8, 3, apply_case && (nt_case & kCaseLowerExtension) != 0) == 0) --length;

  STRING source;
  source.Buffer = oem;
  source.Length = length;
  source.MaximumLength = sizeof(oem);
  out->Length = 0;
  if (!NT_SUCCESS(RtlOemStringToCountedUnicodeString(out, &source, FALSE))) out->Length = 0;
}

void DecodeLabel(const UCHAR name[11], UNICODE_STRING* out) {
  CHAR oem[11];
  RtlCopyMemory(oem, name, sizeof(oem));
  if (name[0] == kSlotKanjiE5) oem[0] = static_cast<CHAR>(0xE5);
  STRING source;
  source.Buffer = oem;
  source.Length = source.MaximumLength = sizeof(oem);
  while (source.Length != 0 && oem[source.Length - 1] == ' ') --source.Length;
  out->Length = 0;
  if (!NT_SUCCESS(RtlOemStringToCountedUnicodeString(out, &source, FALSE))) out->Length = 0;
}

NTSTATUS DuplicateString(const UNICODE_STRING& from, UNICODE_STRING* to) {
  RtlZeroMemory(to, sizeof(*to));
  if (from.Length == 0) return STATUS_SUCCESS;
  to->Buffer = static_cast<PWCH>(AllocatePaged(from.Length));
  if (to->Buffer == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  RtlCopyMemory(to->Buffer, from.Buffer, from.Length);
  to->Length = from.Length;
  to->MaximumLength = from.Length;
  return STATUS_SUCCESS;
}

void FreeString(UNICODE_STRING* string) {
  if (string->Buffer != nullptr) FreePool(string->Buffer);
  RtlZeroMemory(string, sizeof(*string));
}

NTSTATUS ChildPath(Fcb& directory, const UNICODE_STRING& name, UNICODE_STRING* path, USHORT* last_offset) {
  RtlZeroMemory(path, sizeof(*path));
  ULONG bytes = sizeof(WCHAR) + name.Length;
  for (Fcb* up = &directory; up->kind != FcbKind::kRoot; up = up->parent) {
    if (up->parent == nullptr) return STATUS_OBJECT_PATH_NOT_FOUND;
    bytes += sizeof(WCHAR) + up->name.Length;
  }
  if (bytes > MAXUSHORT) return STATUS_NAME_TOO_LONG;
  path->Buffer = static_cast<PWCH>(AllocatePaged(bytes));
  if (path->Buffer == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  path->Length = path->MaximumLength = static_cast<USHORT>(bytes);

  UCHAR* end = reinterpret_cast<UCHAR*>(path->Buffer) + bytes;
  const auto prepend = [&end](const UNICODE_STRING& part) {
    end -= part.Length;
    RtlCopyMemory(end, part.Buffer, part.Length);
    end -= sizeof(WCHAR);
    *reinterpret_cast<WCHAR*>(end) = L'\\';
  };
  prepend(name);
  for (Fcb* up = &directory; up->kind != FcbKind::kRoot; up = up->parent) prepend(up->name);
  *last_offset = static_cast<USHORT>(bytes - name.Length);
  return STATUS_SUCCESS;
}

NTSTATUS FullPath(Fcb& fcb, UNICODE_STRING* path, USHORT* last_offset) {
  if (fcb.kind == FcbKind::kRoot) {
    WCHAR backslash[] = L"\\";
    UNICODE_STRING root;
    RtlInitUnicodeString(&root, backslash);
    *last_offset = 0;
    return DuplicateString(root, path);
  }
  if (fcb.parent == nullptr) return STATUS_OBJECT_PATH_NOT_FOUND;
  return ChildPath(*fcb.parent, fcb.name, path, last_offset);
}

}  // namespace fat

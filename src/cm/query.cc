// Queries and values by handle. Answers are built under the lock and copied out after it, since the copy may fault.
#include <cstddef>
#include <cstring>

#include "src/cm/registry.h"
#include "src/ke/ke.h"
#include "src/ldr/user_access.h"
#include "src/rtl/rtl.h"

namespace nt::cm {
namespace {

/// An information structure in the making: a fixed part and what follows it.
struct Answer {
  std::vector<UCHAR> bytes;
  size_t fixed = 0;  // less room than this is STATUS_BUFFER_TOO_SMALL

  template <class T>
  Answer& Fixed(const T& header, size_t fixed_bytes) {
    fixed = fixed_bytes;
    bytes.resize(fixed_bytes);
    std::memcpy(bytes.data(), &header, fixed_bytes);
    return *this;
  }
  void Append(const void* data, size_t count) {
    const auto* begin = static_cast<const UCHAR*>(data);
    bytes.insert(bytes.end(), begin, begin + count);
  }
  void Append(std::u16string_view text) { Append(text.data(), text.size() * sizeof(WCHAR)); }
  void AlignTo(size_t alignment) { bytes.resize((bytes.size() + alignment - 1) / alignment * alignment); }
};

/// How every query of the registry ends.
Status Deliver(const Answer& answer, PVOID information, ULONG room, PULONG needed) {
  if (needed) ldr::WriteUser(needed, static_cast<ULONG>(answer.bytes.size()));
  if (room < answer.fixed) return STATUS_BUFFER_TOO_SMALL;
  const size_t count = std::min<size_t>(room, answer.bytes.size());
  ldr::CopyToUser(information, answer.bytes.data(), count);
  return count == answer.bytes.size() ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

ULONG Bytes(std::u16string_view text) { return static_cast<ULONG>(text.size() * sizeof(WCHAR)); }

struct Longest {
  ULONG subkey_name = 0, subkey_class = 0, value_name = 0, value_data = 0;
};

Longest LongestOf(const Node& node) {
  Longest longest;
  for (auto& subkey : node.subkeys) {
    longest.subkey_name = std::max(longest.subkey_name, Bytes(subkey->name));
    longest.subkey_class = std::max(longest.subkey_class, Bytes(subkey->class_name));
  }
  for (auto& value : node.values) {
    longest.value_name = std::max(longest.value_name, Bytes(value.name));
    longest.value_data = std::max(longest.value_data, static_cast<ULONG>(value.value.data.size()));
  }
  return longest;
}

Status DescribeKeyLocked(const Node& node, KEY_INFORMATION_CLASS information_class, Answer* answer) NT_REQUIRES(g_lock) {
  const Longest longest = LongestOf(node);
  switch (information_class) {
    case KeyBasicInformation: {
      KEY_BASIC_INFORMATION header{};
      header.LastWriteTime.QuadPart = node.last_write_time;
      header.NameLength = Bytes(node.name);
      answer->Fixed(header, offsetof(KEY_BASIC_INFORMATION, Name)).Append(node.name);
      return STATUS_SUCCESS;
    }
    case KeyNodeInformation: {
      constexpr ULONG kFixed = offsetof(KEY_NODE_INFORMATION, Name);
      KEY_NODE_INFORMATION header{};
      header.LastWriteTime.QuadPart = node.last_write_time;
      header.NameLength = Bytes(node.name);
      header.ClassLength = Bytes(node.class_name);
      header.ClassOffset = header.ClassLength ? (kFixed + header.NameLength + 3) / 4 * 4 : MAXULONG;
      answer->Fixed(header, kFixed).Append(node.name);
      if (!header.ClassLength) return STATUS_SUCCESS;
      answer->AlignTo(4);
      answer->Append(node.class_name);
      return STATUS_SUCCESS;
    }
    case KeyFullInformation: {
      constexpr ULONG kFixed = offsetof(KEY_FULL_INFORMATION, Class);
      KEY_FULL_INFORMATION header{};
      header.LastWriteTime.QuadPart = node.last_write_time;
      header.ClassLength = Bytes(node.class_name);
      header.ClassOffset = header.ClassLength ? kFixed : MAXULONG;
      header.SubKeys = static_cast<ULONG>(node.subkeys.size());
      header.Values = static_cast<ULONG>(node.values.size());
      header.MaxNameLen = longest.subkey_name;
      header.MaxClassLen = longest.subkey_class;
      header.MaxValueNameLen = longest.value_name;
      header.MaxValueDataLen = longest.value_data;
      answer->Fixed(header, kFixed).Append(node.class_name);
      return STATUS_SUCCESS;
    }
    case KeyNameInformation: {
      const std::u16string path = PathLocked(&node);
      KEY_NAME_INFORMATION header{};
      header.NameLength = Bytes(path);
      answer->Fixed(header, offsetof(KEY_NAME_INFORMATION, Name)).Append(path);
      return STATUS_SUCCESS;
    }
    case KeyCachedInformation: {
      KEY_CACHED_INFORMATION header{};
      header.LastWriteTime.QuadPart = node.last_write_time;
      header.SubKeys = static_cast<ULONG>(node.subkeys.size());
      header.Values = static_cast<ULONG>(node.values.size());
      header.MaxNameLen = longest.subkey_name;
      header.MaxValueNameLen = longest.value_name;
      header.MaxValueDataLen = longest.value_data;
      header.NameLength = Bytes(node.name);
      answer->Fixed(header, sizeof header);
      return STATUS_SUCCESS;
    }
    default:
      return STATUS_INVALID_PARAMETER;
  }
}

Status DescribeValue(const NamedValue& value, KEY_VALUE_INFORMATION_CLASS information_class, Answer* answer) {
  const auto& data = value.value.data;
  const auto data_bytes = static_cast<ULONG>(data.size());
  switch (information_class) {
    case KeyValueBasicInformation: {
      const KEY_VALUE_BASIC_INFORMATION header{0, value.value.type, Bytes(value.name), {}};
      answer->Fixed(header, offsetof(KEY_VALUE_BASIC_INFORMATION, Name)).Append(value.name);
      return STATUS_SUCCESS;
    }
    case KeyValueFullInformation:
    case KeyValueFullInformationAlign64: {
      constexpr ULONG kFixed = offsetof(KEY_VALUE_FULL_INFORMATION, Name);
      const ULONG alignment = information_class == KeyValueFullInformation ? 4 : 8;
      KEY_VALUE_FULL_INFORMATION header{0, value.value.type, MAXULONG, data_bytes, Bytes(value.name), {}};
      if (data_bytes) header.DataOffset = (kFixed + header.NameLength + alignment - 1) / alignment * alignment;
      answer->Fixed(header, kFixed).Append(value.name);
      if (!data_bytes) return STATUS_SUCCESS;
      answer->AlignTo(alignment);
      answer->Append(data.data(), data.size());
      return STATUS_SUCCESS;
    }
    case KeyValuePartialInformation: {
      const KEY_VALUE_PARTIAL_INFORMATION header{0, value.value.type, data_bytes, {}};
      answer->Fixed(header, offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data)).Append(data.data(), data.size());
      return STATUS_SUCCESS;
    }
    case KeyValuePartialInformationAlign64: {
      const KEY_VALUE_PARTIAL_INFORMATION_ALIGN64 header{value.value.type, data_bytes, {}};
      answer->Fixed(header, offsetof(KEY_VALUE_PARTIAL_INFORMATION_ALIGN64, Data)).Append(data.data(), data.size());
      return STATUS_SUCCESS;
    }
    default:
      return STATUS_INVALID_PARAMETER;
  }
}

std::u16string Text(PUNICODE_STRING name) {
  return name && name->Buffer ? std::u16string(rtl::View(name)) : std::u16string();
}

}  // namespace

Status NtQueryKey(HANDLE handle, KEY_INFORMATION_CLASS information_class, PVOID information, ULONG bytes, PULONG needed) {
  KeyReference key;
  NT_TRY(key.Open(handle, information_class == KeyNameInformation ? 0 : KEY_QUERY_VALUE));
  Answer answer;
  {
    LockGuard guard(g_lock);
    if (key.node()->deleted) return STATUS_KEY_DELETED;
    NT_TRY(DescribeKeyLocked(*key.node(), information_class, &answer));
  }
  return Deliver(answer, information, bytes, needed);
}

Status NtEnumerateKey(HANDLE handle, ULONG index, KEY_INFORMATION_CLASS information_class, PVOID information, ULONG bytes,
                      PULONG needed) {
  if (information_class == KeyNameInformation || information_class == KeyCachedInformation) return STATUS_INVALID_PARAMETER;
  KeyReference key;
  NT_TRY(key.Open(handle, KEY_ENUMERATE_SUB_KEYS));
  Answer answer;
  {
    LockGuard guard(g_lock);
    const Node& node = *key.node();
    if (node.deleted) return STATUS_KEY_DELETED;
    if (index >= node.subkeys.size()) return STATUS_NO_MORE_ENTRIES;
    NT_TRY(DescribeKeyLocked(*node.subkeys[index].get(), information_class, &answer));
  }
  return Deliver(answer, information, bytes, needed);
}

Status NtQueryValueKey(HANDLE handle, PUNICODE_STRING name, KEY_VALUE_INFORMATION_CLASS information_class,
                       PVOID information, ULONG bytes, PULONG needed) {
  KeyReference key;
  NT_TRY(key.Open(handle, KEY_QUERY_VALUE));
  const std::u16string text = Text(name);
  Answer answer;
  {
    LockGuard guard(g_lock);
    if (key.node()->deleted) return STATUS_KEY_DELETED;
    const NamedValue* value = ValueLocked(key.node(), text);
    if (!value) return STATUS_OBJECT_NAME_NOT_FOUND;
    NT_TRY(DescribeValue(*value, information_class, &answer));
  }
  return Deliver(answer, information, bytes, needed);
}

Status NtEnumerateValueKey(HANDLE handle, ULONG index, KEY_VALUE_INFORMATION_CLASS information_class, PVOID information,
                           ULONG bytes, PULONG needed) {
  KeyReference key;
  NT_TRY(key.Open(handle, KEY_QUERY_VALUE));
  Answer answer;
  {
    LockGuard guard(g_lock);
    const Node& node = *key.node();
    if (node.deleted) return STATUS_KEY_DELETED;
    if (index >= node.values.size()) return STATUS_NO_MORE_ENTRIES;
    NT_TRY(DescribeValue(node.values[index], information_class, &answer));
  }
  return Deliver(answer, information, bytes, needed);
}

Status NtSetValueKey(HANDLE handle, PUNICODE_STRING name, ULONG, ULONG type, PVOID data, ULONG bytes) {
  if (bytes > kMaxValueBytes) return STATUS_INSUFFICIENT_RESOURCES;
  KeyReference key;
  NT_TRY(key.Open(handle, KEY_SET_VALUE));
  const std::u16string text = Text(name);
  Value value;
  value.type = type;
  value.data.resize(bytes);
  if (bytes) ldr::CopyFromUser(value.data.data(), data, bytes);
  Notices notices;
  LockGuard guard(g_lock);
  return SetValueLocked(key.node(), text, std::move(value), &notices);
}

Status NtDeleteValueKey(HANDLE handle, PUNICODE_STRING name) {
  KeyReference key;
  NT_TRY(key.Open(handle, KEY_SET_VALUE));
  const std::u16string text = Text(name);
  Notices notices;
  LockGuard guard(g_lock);
  return DeleteValueLocked(key.node(), text, &notices);
}

Status NtSetInformationKey(HANDLE handle, KEY_SET_INFORMATION_CLASS information_class, PVOID information, ULONG bytes) {
  if (information_class != KeyWriteTimeInformation) return STATUS_INVALID_PARAMETER;
  if (bytes != sizeof(KEY_WRITE_TIME_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
  KeyReference key;
  NT_TRY(key.Open(handle, KEY_SET_VALUE));
  const auto time = ldr::ReadUser(static_cast<const KEY_WRITE_TIME_INFORMATION*>(information));
  LockGuard guard(g_lock);
  if (key.node()->deleted) return STATUS_KEY_DELETED;
  key.node()->last_write_time = time.LastWriteTime.QuadPart;
  return STATUS_SUCCESS;
}

}  // namespace nt::cm

// RtlQueryRegistryValues and its smaller siblings. What a query routine is given lies in pool and is its own copy: no lock is
// held while it runs.
#include <cstring>
#include <optional>

#include "src/cm/registry.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/call.h"
#include "src/ldr/user_access.h"
#include "src/ob/ob.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::cm {
namespace {

constexpr ULONG kPoolTag = 'vRmC';

std::u16string_view TextOf(PCWSTR text) { return text ? std::u16string_view(text) : std::u16string_view(); }

/// The user's hive: the effective token's, when it is loaded.
std::u16string UserPath() {
  SECURITY_SUBJECT_CONTEXT context;
  se::CaptureSubjectContext(&context);
  const std::u16string path =
      u"\\Registry\\User\\" + rtl::SidText(se::AsToken(se::EffectiveToken(&context))->content->user.get());
  se::ReleaseSubjectContext(&context);
  return KeyExists(path) ? path : u"\\Registry\\User\\.Default";
}

Status RelativePath(ULONG relative_to, PCWSTR path, std::u16string* full) {
  switch (relative_to & ~(RTL_REGISTRY_OPTIONAL | RTL_REGISTRY_HANDLE)) {
    case RTL_REGISTRY_ABSOLUTE: full->clear(); break;
    case RTL_REGISTRY_SERVICES: *full = kServicesPath; break;
    case RTL_REGISTRY_CONTROL: *full = kControlPath; break;
    case RTL_REGISTRY_WINDOWS_NT: *full = u"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion"; break;
    case RTL_REGISTRY_DEVICEMAP: *full = u"\\Registry\\Machine\\Hardware\\DeviceMap"; break;
    case RTL_REGISTRY_USER: *full = UserPath(); break;
    default: return STATUS_INVALID_PARAMETER;
  }
  const std::u16string_view rest = TextOf(path);
  if (full->empty()) *full = rest;
  else if (!rest.empty()) *full += (rest[0] == u'\\' ? u"" : u"\\") + std::u16string(rest);
  return STATUS_SUCCESS;
}

/// The key that RelativeTo and Path name; with RTL_REGISTRY_HANDLE, Path is a handle.
Status FindKey(ULONG relative_to, PCWSTR path, RefPtr<Node>* node) {
  if (relative_to & RTL_REGISTRY_HANDLE) {
    ke::PreviousModeScope mode(KernelMode);
    KeyReference key;
    NT_TRY(key.Open(const_cast<PWSTR>(path), 0));
    *node = RefPtr<Node>::Share(key.node());
    return STATUS_SUCCESS;
  }
  std::u16string full;
  NT_TRY(RelativePath(relative_to, path, &full));
  LockGuard guard(g_lock);
  return FindLocked(full, node);
}

bool IsString(ULONG type) { return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ; }

/// The value of an environment variable: from the caller's block, else what the System process has.
std::optional<std::u16string> Variable(std::u16string_view name, const WCHAR* environment) {
  if (environment) {
    for (std::u16string_view entry = environment; !entry.empty(); entry = entry.data() + entry.size() + 1) {
      const size_t equals = entry.find(u'=', 1);  // a name may begin with '='
      if (equals != std::u16string_view::npos && rtl::EqualUnicode(entry.substr(0, equals), name, rtl::Case::kInsensitive))
        return std::u16string(entry.substr(equals + 1));
    }
    return std::nullopt;
  }
  if (rtl::EqualUnicode(name, u"SystemRoot", rtl::Case::kInsensitive)) return u"C:\\Windows";
  if (rtl::EqualUnicode(name, u"SystemDrive", rtl::Case::kInsensitive)) return u"C:";
  return std::nullopt;
}

std::u16string Expand(std::u16string_view text, const WCHAR* environment) {
  std::u16string result;
  while (!text.empty()) {
    const size_t end = text[0] == u'%' ? text.find(u'%', 1) : std::u16string_view::npos;
    if (end != std::u16string_view::npos) {
      if (auto value = Variable(text.substr(1, end - 1), environment)) {
        result += *value;
        text.remove_prefix(end + 1);
        continue;
      }
    }
    result += text[0];
    text.remove_prefix(1);
  }
  return result;
}

/// Memory that a driver's routine sees.
class PoolCopy {
 public:
  PoolCopy(const void* data, size_t bytes) : block_(ex::AllocatePool(PagedPool, bytes, kPoolTag)) {
    if (block_ && bytes) std::memcpy(block_, data, bytes);
  }
  ~PoolCopy() {
    if (block_) ex::FreePool(block_);
  }
  PoolCopy(const PoolCopy&) = delete;
  PoolCopy& operator=(const PoolCopy&) = delete;
  void* get() const { return block_; }

 private:
  void* block_;
};

/// RTL_QUERY_REGISTRY_DIRECT: stores a value at EntryContext, in one of the three documented forms.
Status StoreDirect(ULONG type, const UCHAR* data, ULONG bytes, PVOID place) {
  if (IsString(type)) {
    auto* string = static_cast<PUNICODE_STRING>(place);
    if (bytes > MAXUSHORT) return STATUS_BUFFER_TOO_SMALL;
    if (!string->Buffer) {
      string->Buffer = static_cast<PWCH>(ex::AllocatePool(PagedPool, std::max<ULONG>(bytes, sizeof(WCHAR)), 'vaRS'));
      if (!string->Buffer) return STATUS_NO_MEMORY;
      string->MaximumLength = static_cast<USHORT>(std::max<ULONG>(bytes, sizeof(WCHAR)));
    } else if (string->MaximumLength < bytes) {
      return STATUS_BUFFER_TOO_SMALL;
    }
    std::memcpy(string->Buffer, data, bytes);
    // A string's length does not count its terminator; a list's counts all but the last.
    const bool terminated = bytes >= sizeof(WCHAR) && data[bytes - 1] == 0 && data[bytes - 2] == 0;
    string->Length = static_cast<USHORT>(bytes - (terminated ? sizeof(WCHAR) : 0));
    return STATUS_SUCCESS;
  }
  if (bytes <= sizeof(ULONG)) {
    std::memcpy(place, data, bytes);
    return STATUS_SUCCESS;
  }
  // The buffer begins with its size: negative for the bare data, positive for length, type, data.
  auto* words = static_cast<PULONG>(place);
  const LONG room = static_cast<LONG>(words[0]);
  if (room < 0) {
    if (static_cast<ULONG>(-static_cast<LONGLONG>(room)) < bytes) return STATUS_BUFFER_TOO_SMALL;
    std::memcpy(place, data, bytes);
    return STATUS_SUCCESS;
  }
  if (static_cast<ULONG>(room) < 2 * sizeof(ULONG) + bytes) return STATUS_BUFFER_TOO_SMALL;
  words[0] = bytes;
  words[1] = type;
  std::memcpy(words + 2, data, bytes);
  return STATUS_SUCCESS;
}

/// One run over a query table.
class TableQuery {
 public:
  TableQuery(RefPtr<Node> top, PVOID context, PVOID environment)
      : top_(std::move(top)), current_(top_), context_(context), environment_(static_cast<const WCHAR*>(environment)) {}

  Status Run(PRTL_QUERY_REGISTRY_TABLE table) {
    for (; table->QueryRoutine || (table->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT)); table++)
      NT_TRY(Entry(*table));
    return STATUS_SUCCESS;
  }

 private:
  Status Entry(const RTL_QUERY_REGISTRY_TABLE& entry) {
    const ULONG flags = entry.Flags;
    if ((flags & RTL_QUERY_REGISTRY_DIRECT) && (!entry.Name || (flags & RTL_QUERY_REGISTRY_SUBKEY) || entry.QueryRoutine))
      return STATUS_INVALID_PARAMETER;
    if (flags & (RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_SUBKEY)) current_ = top_;
    if (flags & RTL_QUERY_REGISTRY_SUBKEY) {
      if (!entry.Name) return STATUS_INVALID_PARAMETER;
      const Status status = OpenSubkey(entry.Name);
      if (!status.ok()) {
        if (flags & RTL_QUERY_REGISTRY_REQUIRED) return status;
        current_ = nullptr;  // its values are missing
        return STATUS_SUCCESS;
      }
      return entry.QueryRoutine ? AllValues(entry) : Status(STATUS_SUCCESS);
    }
    if (flags & RTL_QUERY_REGISTRY_NOVALUE) return Call(entry, nullptr, REG_NONE, nullptr, 0);
    return entry.Name ? OneValue(entry) : AllValues(entry);
  }

  Status OpenSubkey(PCWSTR name) {
    if (!top_) return STATUS_OBJECT_NAME_NOT_FOUND;
    LockGuard guard(g_lock);
    Place place;
    NT_TRY(WalkLocked(top_.get(), name, LastLink::kFollow, &place));
    if (!place.node) return STATUS_OBJECT_NAME_NOT_FOUND;
    current_ = std::move(place.node);
    return STATUS_SUCCESS;
  }

  Status OneValue(const RTL_QUERY_REGISTRY_TABLE& entry) {
    std::optional<NamedValue> found;
    if (current_) {
      LockGuard guard(g_lock);
      if (NamedValue* value = ValueLocked(current_.get(), entry.Name)) found = *value;
    }
    const ULONG default_type =
        entry.Flags & RTL_QUERY_REGISTRY_TYPECHECK ? entry.DefaultType & ~RTL_QUERY_REGISTRY_TYPECHECK_MASK : entry.DefaultType;
    if (!found) {
      if (entry.Flags & RTL_QUERY_REGISTRY_REQUIRED) return STATUS_OBJECT_NAME_NOT_FOUND;
      if (default_type == REG_NONE) return STATUS_SUCCESS;
      return Present(entry, entry.Name, default_type, static_cast<const UCHAR*>(entry.DefaultData), DefaultBytes(entry, default_type));
    }
    const ULONG type = found->value.type;
    if ((entry.Flags & RTL_QUERY_REGISTRY_TYPECHECK) && (entry.Flags & RTL_QUERY_REGISTRY_DIRECT) &&
        entry.DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT != type)
      return STATUS_OBJECT_TYPE_MISMATCH;
    if ((entry.Flags & RTL_QUERY_REGISTRY_NOSTRING) && IsString(type)) return STATUS_OBJECT_TYPE_MISMATCH;
    NT_TRY(Present(entry, entry.Name, type, found->value.data.data(), static_cast<ULONG>(found->value.data.size())));
    return entry.Flags & RTL_QUERY_REGISTRY_DELETE ? Delete(found->name) : Status(STATUS_SUCCESS);
  }

  Status AllValues(const RTL_QUERY_REGISTRY_TABLE& entry) {
    std::vector<NamedValue> values;
    if (current_) {
      LockGuard guard(g_lock);
      if (current_->deleted) return STATUS_KEY_DELETED;
      values = current_->values;
    }
    if (values.empty() && (entry.Flags & RTL_QUERY_REGISTRY_REQUIRED)) return STATUS_OBJECT_NAME_NOT_FOUND;
    for (auto& value : values) {
      NT_TRY(Present(entry, value.name.c_str(), value.value.type, value.value.data.data(),
                     static_cast<ULONG>(value.value.data.size())));
      if (entry.Flags & RTL_QUERY_REGISTRY_DELETE) NT_TRY(Delete(value.name));
    }
    return STATUS_SUCCESS;
  }

  Status Delete(std::u16string_view name) {
    Notices notices;
    LockGuard guard(g_lock);
    return DeleteValueLocked(current_.get(), name, &notices);
  }

  static ULONG DefaultBytes(const RTL_QUERY_REGISTRY_TABLE& entry, ULONG type) {
    if (entry.DefaultLength || !entry.DefaultData || !IsString(type)) return entry.DefaultLength;
    const auto* text = static_cast<const WCHAR*>(entry.DefaultData);
    size_t chars = 0;
    do {
      while (text[chars]) chars++;
      chars++;
    } while (type == REG_MULTI_SZ && text[chars]);
    if (type == REG_MULTI_SZ) chars++;
    return static_cast<ULONG>(chars * sizeof(WCHAR));
  }

  /// Expands and splits as the flags say, then stores or calls.
  Status Present(const RTL_QUERY_REGISTRY_TABLE& entry, PCWSTR name, ULONG type, const UCHAR* data, ULONG bytes) {
    if (!(entry.Flags & RTL_QUERY_REGISTRY_NOEXPAND) && data) {
      const std::u16string_view text(reinterpret_cast<const WCHAR*>(data), bytes / sizeof(WCHAR));
      if (type == REG_EXPAND_SZ) {
        const std::u16string expanded = Expand(text.substr(0, text.find(u'\0')), environment_);
        return Deliver(entry, name, REG_SZ, reinterpret_cast<const UCHAR*>(expanded.c_str()),
                       static_cast<ULONG>((expanded.size() + 1) * sizeof(WCHAR)));
      }
      if (type == REG_MULTI_SZ) {
        // A list stored directly has no place for its second string.
        if (entry.Flags & RTL_QUERY_REGISTRY_DIRECT) return STATUS_OBJECT_TYPE_MISMATCH;
        for (size_t begin = 0; begin < text.size() && text[begin];) {
          const std::u16string one(text.substr(begin, text.find(u'\0', begin) - begin));
          NT_TRY(Deliver(entry, name, REG_SZ, reinterpret_cast<const UCHAR*>(one.c_str()),
                         static_cast<ULONG>((one.size() + 1) * sizeof(WCHAR))));
          begin += one.size() + 1;
        }
        return STATUS_SUCCESS;
      }
    }
    return Deliver(entry, name, type, data, bytes);
  }

  Status Deliver(const RTL_QUERY_REGISTRY_TABLE& entry, PCWSTR name, ULONG type, const UCHAR* data, ULONG bytes) {
    if (entry.Flags & RTL_QUERY_REGISTRY_DIRECT) return StoreDirect(type, data, bytes, entry.EntryContext);
    return Call(entry, name, type, data, bytes);
  }

  Status Call(const RTL_QUERY_REGISTRY_TABLE& entry, PCWSTR name, ULONG type, const UCHAR* data, ULONG bytes) {
    if (!entry.QueryRoutine) return STATUS_SUCCESS;
    const std::u16string_view name_text = TextOf(name);
    const PoolCopy name_copy(std::u16string(name_text).c_str(), (name_text.size() + 1) * sizeof(WCHAR));
    const PoolCopy data_copy(data, bytes);
    if (!name_copy.get() || !data_copy.get()) return STATUS_NO_MEMORY;
    const Status status =
        nt::CallDriver(entry.QueryRoutine, name ? static_cast<PWSTR>(name_copy.get()) : nullptr, type,
                       data ? data_copy.get() : nullptr, bytes, context_, entry.EntryContext);
    // What a routine says of its own buffer does not end the query.
    return status == STATUS_BUFFER_TOO_SMALL ? Status(STATUS_SUCCESS) : status;
  }

  const RefPtr<Node> top_;
  RefPtr<Node> current_;  // null: a key that is missing but optional
  const PVOID context_;
  const WCHAR* const environment_;
};

}  // namespace

Status QueryRegistryValues(ULONG relative_to, PCWSTR path, PRTL_QUERY_REGISTRY_TABLE table, PVOID context,
                           PVOID environment) {
  RefPtr<Node> top;
  const Status status = FindKey(relative_to, path, &top);
  if (!status.ok() && !((relative_to & RTL_REGISTRY_OPTIONAL) && status == STATUS_OBJECT_NAME_NOT_FOUND)) return status;
  return TableQuery(std::move(top), context, environment).Run(table);
}

Status WriteRegistryValue(ULONG relative_to, PCWSTR path, PCWSTR name, ULONG type, PVOID data, ULONG bytes) {
  if (bytes > kMaxValueBytes) return STATUS_INSUFFICIENT_RESOURCES;
  Value value;
  value.type = type;
  value.data.resize(bytes);
  if (bytes) ldr::CopyFromUser(value.data.data(), data, bytes);
  RefPtr<Node> node;
  if (relative_to & RTL_REGISTRY_HANDLE) {
    NT_TRY(FindKey(relative_to, path, &node));
  } else {
    NT_TRY(CreateRegistryKey(relative_to, path));
    NT_TRY(FindKey(relative_to, path, &node));
  }
  Notices notices;
  LockGuard guard(g_lock);
  return SetValueLocked(node.get(), TextOf(name), std::move(value), &notices);
}

Status DeleteRegistryValue(ULONG relative_to, PCWSTR path, PCWSTR name) {
  RefPtr<Node> node;
  NT_TRY(FindKey(relative_to, path, &node));
  Notices notices;
  LockGuard guard(g_lock);
  return DeleteValueLocked(node.get(), TextOf(name), &notices);
}

/// Creates the last component only, as Windows does.
Status CreateRegistryKey(ULONG relative_to, PCWSTR path) {
  if (relative_to & RTL_REGISTRY_HANDLE) return STATUS_SUCCESS;  // it is open, so it is there
  std::u16string full;
  NT_TRY(RelativePath(relative_to, path, &full));
  while (!full.empty() && full.back() == u'\\') full.pop_back();
  Notices notices;
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  const size_t last = full.find_last_of(u'\\');
  if (last == std::u16string::npos) return STATUS_OBJECT_PATH_SYNTAX_BAD;
  RefPtr<Node> parent;
  NT_TRY(FindLocked(std::u16string_view(full).substr(0, last), &parent));
  Place place;
  NT_TRY(WalkLocked(parent.get(), std::u16string_view(full).substr(last), LastLink::kFollow, &place));
  if (place.node) return STATUS_SUCCESS;
  return AddSubkeyLocked(place.parent.get(), place.name, place.parent->is_volatile, &node, &notices);
}

Status CheckRegistryKey(ULONG relative_to, PCWSTR path) {
  RefPtr<Node> node;
  return FindKey(relative_to, path, &node);
}

}  // namespace nt::cm

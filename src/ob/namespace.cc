// The namespace: directories, symbolic links, and the walk along a name.
//
// One lock guards all directories; names are looked up without regard to case, and keep theirs. A walk holds a reference to
// each object it stands on and calls parse procedures without the lock.
#include <algorithm>
#include <map>
#include <vector>

#include "src/base/check.h"
#include "src/base/lock.h"
#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ob/object.h"
#include "src/rtl/rtl.h"

namespace nt::ob {

struct Directory {
  std::map<std::u16string, ObjectHeader*>* entries;  // upcased name -> header; holds a reference
};

namespace {

constexpr int kMaxReparses = 64;

struct SymbolicLink {
  std::u16string* target;
};

Lock g_lock(LockRank::kNamespace);
Directory* g_root = nullptr;  // body of the root directory

std::u16string Upcase(const std::u16string& name) {
  std::u16string result(name);
  for (auto& c : result) c = rtl::UpcaseUnicodeChar(c);
  return result;
}

std::u16string Text(const UNICODE_STRING& string) {
  return string.Buffer ? std::u16string(string.Buffer, string.Length / sizeof(WCHAR)) : std::u16string();
}

UNICODE_STRING View(std::u16string& text) {
  UNICODE_STRING view;
  view.Buffer = text.data();
  view.Length = view.MaximumLength = static_cast<USHORT>(text.size() * sizeof(WCHAR));
  return view;
}

Status EnterName(ObjectHeader* header, Directory* directory, const std::u16string& name, void** existing) {
  LockGuard guard(g_lock);
  auto [entry, fresh] = directory->entries->try_emplace(Upcase(name), header);
  if (!fresh) {
    if (existing) {
      ReferenceObject(entry->second->body());
      *existing = entry->second->body();
      return STATUS_OBJECT_NAME_EXISTS;
    }
    return STATUS_OBJECT_NAME_COLLISION;
  }
  ReferenceObject(header->body());
  ReferenceObject(directory);  // a name keeps its directory
  header->directory = directory;
  delete header->name;
  header->name = new std::u16string(name);
  return STATUS_SUCCESS;
}

void* FindEntry(Directory* directory, const std::u16string& name) {
  LockGuard guard(g_lock);
  auto entry = directory->entries->find(Upcase(name));
  if (entry == directory->entries->end()) return nullptr;
  ReferenceObject(entry->second->body());
  return entry->second->body();
}

/// Drops a reference when it goes.
class Held {
 public:
  explicit Held(void* object) : object_(object) {}
  ~Held() {
    if (object_) DereferenceObject(object_);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  void* get() const { return object_; }
  void* release() { return std::exchange(object_, nullptr); }
  void Reset(void* object) {
    if (object_) DereferenceObject(object_);
    object_ = object;
  }

 private:
  void* object_;
};

struct WalkRequest {
  ULONG attributes = 0;
  PACCESS_STATE access_state = nullptr;
  POBJECT_TYPE type = nullptr;
  KPROCESSOR_MODE mode = KernelMode;
  void* parse_context = nullptr;
  PSECURITY_QUALITY_OF_SERVICE quality = nullptr;
};

/// Walks `path` (absolute) or, with `root`, the rest below root. With `last_component`, stops at the parent directory and
/// returns the final component there.
Status Walk(void* root, std::u16string path, const WalkRequest& request, void** object, std::u16string* last_component) {
  if (last_component) last_component->clear();
  for (int reparses = 0; reparses < kMaxReparses; reparses++) {
    Held current(root ? root : g_root);
    ReferenceObject(current.get());
    std::u16string rest = path;
    if (!root) {
      if (rest.empty() || rest[0] != u'\\') return STATUS_OBJECT_PATH_SYNTAX_BAD;
    } else if (!rest.empty() && rest[0] == u'\\' && TypeOf(root) == g_directory_type) {
      return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    bool restart = false;
    while (!restart) {
      POBJECT_TYPE type = TypeOf(current.get());
      if (type->procedures.parse) {
        std::u16string complete = path, remaining = rest;
        UNICODE_STRING complete_view = View(complete), remaining_view = View(remaining);
        // The parse may replace the complete name by one in pool.
        const auto* original = complete_view.Buffer;
        void* found = nullptr;
        Status status = type->procedures.parse(current.get(), request.type, request.access_state, request.mode,
                                               request.attributes, &complete_view, &remaining_view,
                                               request.parse_context, request.quality, &found);
        if (status == STATUS_REPARSE) {
          path = Text(complete_view);
          if (complete_view.Buffer != original) ex::FreePool(complete_view.Buffer);
          root = nullptr;
          restart = true;
          continue;
        }
        if (complete_view.Buffer != original) ex::FreePool(complete_view.Buffer);
        if (!NT_SUCCESS(status)) return status;
        *object = found;
        return status;
      }
      size_t begin = 0;
      while (begin < rest.size() && rest[begin] == u'\\') begin++;
      if (begin == rest.size()) {
        if (last_component) return STATUS_OBJECT_NAME_INVALID;
        *object = current.release();
        return STATUS_SUCCESS;
      }
      if (type == g_symbolic_link_type) {
        path = *static_cast<SymbolicLink*>(current.get())->target + rest;
        root = nullptr;
        restart = true;
        continue;
      }
      if (type != g_directory_type) return STATUS_OBJECT_PATH_NOT_FOUND;
      const size_t end = std::min(rest.find(u'\\', begin), rest.size());
      const std::u16string component = rest.substr(begin, end - begin);
      const bool last = end == rest.size();
      if (last && last_component) {
        *last_component = component;
        *object = current.release();
        return STATUS_SUCCESS;
      }
      void* next = FindEntry(static_cast<Directory*>(current.get()), component);
      if (!next) return last ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_OBJECT_PATH_NOT_FOUND;
      current.Reset(next);
      rest.erase(0, end);
      if (TypeOf(next) == g_symbolic_link_type) {
        // A link itself is the result only when a link was asked for and its name is the end.
        if (rest.empty() && request.type == g_symbolic_link_type) continue;
        path = *static_cast<SymbolicLink*>(next)->target + rest;
        root = nullptr;
        restart = true;
      }
    }
  }
  return STATUS_OBJECT_NAME_NOT_FOUND;
}

Status WalkAttributes(OBJECT_ATTRIBUTES* attributes, const WalkRequest& request, void** object,
                      std::u16string* last_component) {
  Held root(nullptr);
  if (attributes->RootDirectory) {
    void* body;
    NT_TRY(ReferenceObjectByHandle(attributes->RootDirectory, 0, nullptr, request.mode, &body, nullptr));
    root.Reset(body);
  }
  std::u16string path = attributes->ObjectName ? Text(*attributes->ObjectName) : std::u16string();
  return Walk(root.get(), std::move(path), request, object, last_component);
}

void RemoveDirectory(void* object) { delete static_cast<Directory*>(object)->entries; }
void RemoveLink(void* object) { delete static_cast<SymbolicLink*>(object)->target; }

Status NewDirectory(Directory** directory) {
  void* body;
  NT_TRY(CreateObject(g_directory_type, sizeof(Directory), &body));
  *directory = static_cast<Directory*>(body);
  (*directory)->entries = new std::map<std::u16string, ObjectHeader*>;
  return STATUS_SUCCESS;
}

}  // namespace

POBJECT_TYPE g_directory_type = nullptr;
POBJECT_TYPE g_symbolic_link_type = nullptr;

Status NamespaceBoot() {
  TypeProcedures directory, link;
  directory.remove = RemoveDirectory;
  link.remove = RemoveLink;
  NT_TRY(CreateType(u"Directory", directory, &g_directory_type));
  NT_TRY(CreateType(u"SymbolicLink", link, &g_symbolic_link_type));
  NT_TRY(NewDirectory(&g_root));
  for (const char16_t* name : {u"\\Device", u"\\Driver", u"\\FileSystem", u"\\FileSystem\\Filters", u"\\GLOBAL??",
                               u"\\BaseNamedObjects", u"\\ObjectTypes", u"\\KernelObjects", u"\\Security", u"\\Callback"}) {
    std::u16string text(name);
    UNICODE_STRING path = View(text);
    NT_TRY(CreateDirectoryObject(&path));
  }
  for (const char16_t* name : {u"\\??", u"\\DosDevices"}) {
    std::u16string from(name), to(u"\\GLOBAL??");
    UNICODE_STRING path = View(from), target = View(to);
    NT_TRY(CreateSymbolicLink(&path, &target));
  }
  return STATUS_SUCCESS;
}

void NamespaceShutdown() {
  // Names fall from the root down; an object that something still references lives on without one.
  std::vector<Directory*> pending{g_root};
  ReferenceObject(g_root);
  while (!pending.empty()) {
    Directory* directory = pending.back();
    pending.pop_back();
    for (;;) {
      ObjectHeader* header = nullptr;
      {
        LockGuard guard(g_lock);
        if (directory->entries->empty()) break;
        header = directory->entries->begin()->second;
      }
      if (header->type == g_directory_type) {
        ReferenceObject(header->body());
        pending.push_back(static_cast<Directory*>(header->body()));
      }
      RemoveName(header);
    }
    DereferenceObject(directory);
  }
  DereferenceObject(std::exchange(g_root, nullptr));
}

void RemoveName(ObjectHeader* header) {
  Directory* directory;
  {
    LockGuard guard(g_lock);
    directory = header->directory;
    if (!directory) return;
    directory->entries->erase(Upcase(*header->name));
    header->directory = nullptr;
    header->permanent = false;
  }
  DereferenceObject(header->body());
  DereferenceObject(directory);
}

void LastHandleClosed(ObjectHeader* header) {
  {
    LockGuard guard(g_lock);
    if (header->permanent) return;
  }
  RemoveName(header);
}

void MakeTemporaryObject(void* object) {
  auto* header = ObjectHeader::Of(object);
  {
    LockGuard guard(g_lock);
    header->permanent = false;
  }
  if (HandleCount(object) == 0) RemoveName(header);
}

Status InsertObject(void* object, OBJECT_ATTRIBUTES* attributes, ACCESS_MASK access, HANDLE* handle, void** existing) {
  auto* header = ObjectHeader::Of(object);
  const ULONG flags = attributes ? attributes->Attributes : 0;
  if (attributes && attributes->ObjectName && attributes->ObjectName->Length) {
    void* directory;
    std::u16string name;
    WalkRequest request;
    request.mode = ke::CurrentThread()->previous_mode;
    NT_TRY(WalkAttributes(attributes, request, &directory, &name));
    Held held(directory);
    if (TypeOf(directory) != g_directory_type) return STATUS_OBJECT_TYPE_MISMATCH;
    if (flags & OBJ_PERMANENT) header->permanent = true;
    Status status = EnterName(header, static_cast<Directory*>(directory), name, flags & OBJ_OPENIF ? existing : nullptr);
    if (status != STATUS_SUCCESS) return status;
  }
  if (!handle) return STATUS_SUCCESS;
  Status status = InsertHandle(object, MapAccess(header->type, access), flags, handle);
  if (!status.ok()) RemoveName(header);
  return status;
}

Status InsertPermanent(void* object, const UNICODE_STRING* path) {
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, const_cast<UNICODE_STRING*>(path), OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, nullptr,
                             nullptr);
  return InsertObject(object, &attributes, 0, nullptr);
}

Status CreateDirectoryObject(const UNICODE_STRING* path) {
  Directory* directory;
  NT_TRY(NewDirectory(&directory));
  Status status = InsertPermanent(directory, path);
  DereferenceObject(directory);
  return status;
}

Status CreateSymbolicLink(const UNICODE_STRING* path, const UNICODE_STRING* target) {
  void* body;
  NT_TRY(CreateObject(g_symbolic_link_type, sizeof(SymbolicLink), &body));
  static_cast<SymbolicLink*>(body)->target = new std::u16string(Text(*target));
  Status status = InsertPermanent(body, path);
  DereferenceObject(body);
  return status;
}

Status DeleteSymbolicLink(const UNICODE_STRING* path) {
  void* link;
  NT_TRY(ReferenceObjectByName(path, OBJ_CASE_INSENSITIVE, nullptr, 0, g_symbolic_link_type, KernelMode, nullptr, &link));
  MakeTemporaryObject(link);
  DereferenceObject(link);
  return STATUS_SUCCESS;
}

Status QuerySymbolicLink(void* link, UNICODE_STRING* target, ULONG* needed) {
  const auto& text = *static_cast<SymbolicLink*>(link)->target;
  const auto bytes = static_cast<ULONG>(text.size() * sizeof(WCHAR));
  if (needed) *needed = bytes + sizeof(WCHAR);
  if (target->MaximumLength < bytes) return STATUS_BUFFER_TOO_SMALL;
  std::copy(text.begin(), text.end(), target->Buffer);
  target->Length = static_cast<USHORT>(bytes);
  if (target->MaximumLength >= bytes + sizeof(WCHAR)) target->Buffer[text.size()] = 0;
  return STATUS_SUCCESS;
}

Status EnumerateDirectory(const UNICODE_STRING* path,
                          const std::function<void(const std::u16string& name, void* object)>& visit) {
  void* body;
  NT_TRY(ReferenceObjectByName(path, OBJ_CASE_INSENSITIVE, nullptr, 0, g_directory_type, KernelMode, nullptr, &body));
  std::vector<std::pair<std::u16string, void*>> entries;
  {
    LockGuard guard(g_lock);
    for (auto& [key, header] : *static_cast<Directory*>(body)->entries) {
      ReferenceObject(header->body());
      entries.emplace_back(*header->name, header->body());
    }
  }
  for (auto& [name, object] : entries) {
    visit(name, object);
    DereferenceObject(object);
  }
  DereferenceObject(body);
  return STATUS_SUCCESS;
}

std::u16string NameOf(void* object) {
  std::u16string result;
  LockGuard guard(g_lock);
  for (auto* header = ObjectHeader::Of(object); header->directory; header = ObjectHeader::Of(header->directory))
    result = u"\\" + *header->name + result;
  return result;
}

Status QueryNameString(void* object, OBJECT_NAME_INFORMATION* information, ULONG bytes, ULONG* needed) {
  POBJECT_TYPE type = TypeOf(object);
  if (type->procedures.query_name) return type->procedures.query_name(object, information, bytes, needed);
  std::u16string name = NameOf(object);
  if (name.empty() && object == g_root) name = u"\\";
  const auto name_bytes = static_cast<ULONG>(name.size() * sizeof(WCHAR));
  const ULONG total = sizeof(OBJECT_NAME_INFORMATION) + (name_bytes ? name_bytes + sizeof(WCHAR) : 0);
  if (needed) *needed = total;
  if (bytes < sizeof(OBJECT_NAME_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
  if (bytes < total) return STATUS_BUFFER_OVERFLOW;
  information->Name = {};
  if (name_bytes) {
    auto* buffer = reinterpret_cast<WCHAR*>(information + 1);
    std::copy(name.begin(), name.end(), buffer);
    buffer[name.size()] = 0;
    information->Name.Buffer = buffer;
    information->Name.Length = static_cast<USHORT>(name_bytes);
    information->Name.MaximumLength = static_cast<USHORT>(name_bytes + sizeof(WCHAR));
  }
  return STATUS_SUCCESS;
}

Status LookupByAttributes(OBJECT_ATTRIBUTES* attributes, POBJECT_TYPE type, KPROCESSOR_MODE mode,
                          PACCESS_STATE access_state, void* parse_context, void** object) {
  WalkRequest request;
  request.attributes = attributes->Attributes;
  request.access_state = access_state;
  request.type = type;
  request.mode = mode;
  request.parse_context = parse_context;
  request.quality = static_cast<PSECURITY_QUALITY_OF_SERVICE>(attributes->SecurityQualityOfService);
  void* found = nullptr;
  Status status = WalkAttributes(attributes, request, &found, nullptr);
  if (!NT_SUCCESS(status)) return status;
  if (found && type && TypeOf(found) != type) {
    DereferenceObject(found);
    return STATUS_OBJECT_TYPE_MISMATCH;
  }
  *object = found;
  return status;
}

Status ReferenceObjectByName(const UNICODE_STRING* name, ULONG flags, PACCESS_STATE access_state, ACCESS_MASK,
                             POBJECT_TYPE type, KPROCESSOR_MODE mode, void* parse_context, void** object) {
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, const_cast<UNICODE_STRING*>(name), flags, nullptr, nullptr);
  return LookupByAttributes(&attributes, type, mode, access_state, parse_context, object);
}

Status OpenObjectByName(OBJECT_ATTRIBUTES* attributes, POBJECT_TYPE type, KPROCESSOR_MODE mode,
                        PACCESS_STATE access_state, ACCESS_MASK access, void* parse_context, HANDLE* handle) {
  void* object = nullptr;
  Status status = LookupByAttributes(attributes, type, mode, access_state, parse_context, &object);
  if (!NT_SUCCESS(status)) return status;
  const ACCESS_MASK granted = access_state ? access_state->PreviouslyGrantedAccess | access_state->RemainingDesiredAccess
                                           : access;
  Status inserted = InsertHandle(object, MapAccess(TypeOf(object), granted), attributes->Attributes, handle);
  DereferenceObject(object);
  return inserted.ok() ? status : inserted;
}

Status OpenObjectByPointer(void* object, ULONG attributes, PACCESS_STATE, ACCESS_MASK access, POBJECT_TYPE type,
                           KPROCESSOR_MODE mode, HANDLE* handle) {
  NT_TRY(ReferenceObjectByPointer(object, access, type ? type : TypeOf(object), mode));
  Status status = InsertHandle(object, MapAccess(TypeOf(object), access), attributes, handle);
  DereferenceObject(object);
  return status;
}

}  // namespace nt::ob

// Objects of type Key: boot, the parse procedure, opening and creating.
//
// \Registry is a permanent key object; the walk of ob reaches it and leaves the rest of a name to Parse, which gives each open a
// key object of its own. Keys share one descriptor: System and Administrators may do everything, everyone else may read.
#include "src/base/check.h"
#include "src/cm/registry.h"
#include "src/ke/ke.h"
#include "src/ldr/export.h"
#include "src/ldr/user_access.h"
#include "src/ob/ob.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

extern "C" {
POBJECT_TYPE CmKeyObjectType = nullptr;
}
NT_EXPORT_DATA(CmKeyObjectType)

namespace nt::cm {
namespace {

constexpr GENERIC_MAPPING kMapping{KEY_READ, KEY_WRITE, KEY_EXECUTE, KEY_ALL_ACCESS};

/// What an open or create carries to Parse and back.
struct OpenRequest {
  bool create = false;
  bool open_link = false;
  ULONG options = 0;
  std::u16string class_name;
  ACCESS_MASK desired = 0;
  ACCESS_MASK granted = 0;  // out
  bool created = false;     // out
};

struct KeySecurity {
  alignas(8) UCHAR dacl[256];
  SECURITY_DESCRIPTOR descriptor;
};
KeySecurity* g_security = nullptr;

Status MakeSecurity(KeySecurity* security) {
  const auto& known = se::Exports();
  auto* dacl = reinterpret_cast<PACL>(security->dacl);
  NT_TRY(rtl::CreateAcl(dacl, sizeof security->dacl, ACL_REVISION));
  NT_TRY(rtl::AddKnownAce(dacl, ACL_REVISION, 0, KEY_ALL_ACCESS, known.SeLocalSystemSid, ACCESS_ALLOWED_ACE_TYPE));
  NT_TRY(rtl::AddKnownAce(dacl, ACL_REVISION, 0, KEY_ALL_ACCESS, known.SeAliasAdminsSid, ACCESS_ALLOWED_ACE_TYPE));
  NT_TRY(rtl::AddKnownAce(dacl, ACL_REVISION, 0, KEY_READ, known.SeWorldSid, ACCESS_ALLOWED_ACE_TYPE));
  NT_TRY(rtl::CreateSecurityDescriptor(&security->descriptor, SECURITY_DESCRIPTOR_REVISION));
  NT_TRY(rtl::SetOwnerSecurityDescriptor(&security->descriptor, known.SeAliasAdminsSid, FALSE));
  NT_TRY(rtl::SetGroupSecurityDescriptor(&security->descriptor, known.SeLocalSystemSid, FALSE));
  return rtl::SetDaclSecurityDescriptor(&security->descriptor, TRUE, dacl, FALSE);
}

Status CheckAccess(ACCESS_MASK desired, KPROCESSOR_MODE mode, ACCESS_MASK* granted) {
  SECURITY_SUBJECT_CONTEXT context;
  se::CaptureSubjectContext(&context);
  GENERIC_MAPPING mapping = kMapping;
  NTSTATUS status;
  se::AccessCheck(&g_security->descriptor, &context, false, desired, 0, nullptr, &mapping, mode, granted, &status);
  se::ReleaseSubjectContext(&context);
  return status;
}

Status NewKeyObject(Node* node, void** object) {
  void* body;
  NT_TRY(ob::CreateObject(CmKeyObjectType, sizeof(KeyObject), &body));
  node->AddRef();
  static_cast<KeyObject*>(body)->node = node;
  *object = body;
  return STATUS_SUCCESS;
}

Status Parse(void* parse_object, POBJECT_TYPE type, PACCESS_STATE, KPROCESSOR_MODE mode, ULONG attributes,
             UNICODE_STRING*, UNICODE_STRING* remaining_name, void* context, PSECURITY_QUALITY_OF_SERVICE, void** object) {
  if (type != CmKeyObjectType) return STATUS_OBJECT_TYPE_MISMATCH;
  OpenRequest none;
  auto* request = context ? static_cast<OpenRequest*>(context) : &none;
  if (attributes & OBJ_FORCE_ACCESS_CHECK) mode = UserMode;
  const std::u16string_view path = rtl::View(remaining_name);
  auto* start = static_cast<KeyObject*>(parse_object)->node;

  Notices notices;
  LockGuard guard(g_lock);
  if (start != RootLocked() && !path.empty() && path[0] == u'\\') return STATUS_OBJECT_PATH_SYNTAX_BAD;
  const bool open_link = request->open_link || (attributes & OBJ_OPENLINK);
  Place place;
  NT_TRY(WalkLocked(start, path, open_link ? LastLink::kOpen : LastLink::kFollow, &place));
  if (!place.node && !request->create) return STATUS_OBJECT_NAME_NOT_FOUND;
  NT_TRY(CheckAccess(request->desired, mode, &request->granted));
  if (!place.node) {
    ACCESS_MASK granted;
    NT_TRY(CheckAccess(KEY_CREATE_SUB_KEY, mode, &granted));
    NT_TRY(AddSubkeyLocked(place.parent.get(), place.name, request->options & REG_OPTION_VOLATILE, &place.node, &notices));
    place.node->class_name = request->class_name;
    place.node->is_link = request->options & REG_OPTION_CREATE_LINK;
    request->created = true;
  } else if (request->create && (request->options & REG_OPTION_CREATE_LINK)) {
    return STATUS_OBJECT_NAME_COLLISION;
  }
  return NewKeyObject(place.node.get(), object);
}

void RemoveKey(void* object) {
  auto* key = static_cast<KeyObject*>(object);
  EndWatch(key);
  LockGuard guard(g_lock);
  key->node->ReleaseRef();
}

void CloseKey(ps::Process*, void* object, ACCESS_MASK, ULONG_PTR, ULONG_PTR system_handles) {
  if (system_handles == 1) EndWatch(static_cast<KeyObject*>(object));
}

Status QueryName(void* object, OBJECT_NAME_INFORMATION* information, ULONG bytes, ULONG* needed) {
  std::u16string path;
  {
    LockGuard guard(g_lock);
    auto* node = static_cast<KeyObject*>(object)->node;
    if (node->deleted) return STATUS_KEY_DELETED;
    path = PathLocked(node);
  }
  const auto path_bytes = static_cast<ULONG>(path.size() * sizeof(WCHAR));
  const ULONG total = sizeof *information + path_bytes + sizeof(WCHAR);
  if (needed) *needed = total;
  if (bytes < sizeof *information) return STATUS_INFO_LENGTH_MISMATCH;
  if (bytes < total) return STATUS_BUFFER_OVERFLOW;
  auto* buffer = reinterpret_cast<WCHAR*>(information + 1);
  path.copy(buffer, path.size());
  buffer[path.size()] = 0;
  information->Name = {static_cast<USHORT>(path_bytes), static_cast<USHORT>(path_bytes + sizeof(WCHAR)), buffer};
  return STATUS_SUCCESS;
}

Status CreateLinkLocked(std::u16string_view parent_path, std::u16string_view name, std::u16string_view target,
                        Notices* notices) NT_REQUIRES(g_lock) {
  RefPtr<Node> parent, link;
  NT_TRY(FindLocked(parent_path, &parent));
  NT_TRY(AddSubkeyLocked(parent.get(), name, true, &link, notices));
  link->is_link = true;
  Value value = MakeString(target, REG_LINK);
  value.data.resize(value.data.size() - sizeof(WCHAR));  // no terminator
  return SetValueLocked(link.get(), u"SymbolicLinkValue", std::move(value), notices);
}

Status CreateUsualKeys() {
  Notices notices;
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  // Roots of hives stay.
  for (const char16_t* path : {u"\\Registry\\Machine", u"\\Registry\\User", u"\\Registry\\Machine\\System",
                               u"\\Registry\\Machine\\Software", u"\\Registry\\Machine\\SAM", u"\\Registry\\Machine\\Security",
                               u"\\Registry\\User\\.Default"}) {
    NT_TRY(CreatePathLocked(path, &node, &notices));
    node->is_fixed = true;
  }
  RefPtr<Node> machine;
  NT_TRY(FindLocked(u"\\Registry\\Machine", &machine));
  NT_TRY(AddSubkeyLocked(machine.get(), u"HARDWARE", true, &node, &notices));
  node->is_fixed = true;
  for (const char16_t* path :
       {u"\\Registry\\Machine\\Hardware\\Description\\System", u"\\Registry\\Machine\\Hardware\\DeviceMap",
        u"\\Registry\\Machine\\Hardware\\ResourceMap", u"\\Registry\\Machine\\System\\Select",
        u"\\Registry\\Machine\\System\\ControlSet001\\Services", u"\\Registry\\Machine\\System\\ControlSet001\\Enum",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\Class",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\FileSystem",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\FileSystemUtilities",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\Filter",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\Nls\\CodePage",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\ProductOptions",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\Session Manager\\Environment",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\Session Manager\\Memory Management",
        u"\\Registry\\Machine\\System\\ControlSet001\\Control\\TimeZoneInformation",
        u"\\Registry\\Machine\\System\\MountedDevices", u"\\Registry\\Machine\\System\\Setup",
        u"\\Registry\\Machine\\Software\\Classes", u"\\Registry\\Machine\\Software\\Policies",
        u"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion"})
    NT_TRY(CreatePathLocked(path, &node, &notices));
  NT_TRY(CreateLinkLocked(u"\\Registry\\Machine\\System", u"CurrentControlSet",
                          u"\\Registry\\Machine\\System\\ControlSet001", &notices));
  return CreateLinkLocked(u"\\Registry\\User", u"S-1-5-18", u"\\Registry\\User\\.Default", &notices);
}

Status CreateUsualValues() {
  const std::u16string control(kControlPath);
  NT_TRY(SetDword(u"\\Registry\\Machine\\System\\Select", u"Current", 1));
  NT_TRY(SetDword(u"\\Registry\\Machine\\System\\Select", u"Default", 1));
  NT_TRY(SetDword(u"\\Registry\\Machine\\System\\Select", u"LastKnownGood", 1));
  NT_TRY(SetDword(u"\\Registry\\Machine\\System\\Select", u"Failed", 0));
  NT_TRY(SetDword(u"\\Registry\\Machine\\System\\Setup", u"SystemSetupInProgress", 0));
  NT_TRY(SetString(control + u"\\ProductOptions", u"ProductType", u"WinNT"));
  NT_TRY(SetString(control + u"\\Nls\\CodePage", u"ACP", u"1252"));
  NT_TRY(SetString(control + u"\\Nls\\CodePage", u"OEMCP", u"437"));
  const std::u16string version = u"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion";
  NT_TRY(SetString(version, u"CurrentVersion", u"6.3"));
  NT_TRY(SetString(version, u"CurrentBuildNumber", rtl::FromUtf8(std::to_string(rtl::kBuildNumber))));
  NT_TRY(SetString(version, u"SystemRoot", u"C:\\Windows"));
  return STATUS_SUCCESS;
}

}  // namespace

Status Boot() {
  NT_TRY(TreeBoot());
  ob::TypeProcedures procedures;
  procedures.remove = RemoveKey;
  procedures.close = CloseKey;
  procedures.parse = Parse;
  procedures.query_name = QueryName;
  NT_TRY(ob::CreateType(u"Key", procedures, kMapping, KEY_ALL_ACCESS | SYNCHRONIZE, &CmKeyObjectType));
  g_security = new KeySecurity{};
  NT_TRY(MakeSecurity(g_security));
  NT_TRY(CreateUsualKeys());
  NT_TRY(CreateUsualValues());
  void* root;
  {
    LockGuard guard(g_lock);
    NT_TRY(NewKeyObject(RootLocked(), &root));
  }
  const UNICODE_STRING path = rtl::UnicodeString(u"\\REGISTRY");
  Status status = ob::InsertPermanent(root, &path);
  ob::DereferenceObject(root);
  return status;
}

void Shutdown() {
  const UNICODE_STRING path = rtl::UnicodeString(u"\\REGISTRY");
  void* root;
  const Status status = ob::ReferenceObjectByName(&path, OBJ_CASE_INSENSITIVE, nullptr, 0, CmKeyObjectType, KernelMode,
                                                  nullptr, &root);
  CHECK(status.ok());
  ob::DereferenceObject(root);
  TreeShutdown();
  delete std::exchange(g_security, nullptr);
}

KeyReference::~KeyReference() {
  if (key_) ob::DereferenceObject(key_);
}

Status KeyReference::Open(HANDLE handle, ACCESS_MASK access) {
  void* object;
  NT_TRY(ob::ReferenceObjectByHandle(handle, access, CmKeyObjectType, ke::CurrentThread()->previous_mode, &object, nullptr));
  key_ = static_cast<KeyObject*>(object);
  return STATUS_SUCCESS;
}

namespace {

Status Open(PHANDLE handle, POBJECT_ATTRIBUTES attributes, OpenRequest* request) {
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  if (attributes->Length != sizeof *attributes) return STATUS_INVALID_PARAMETER;
  void* object;
  NT_TRY(ob::LookupByAttributes(attributes, CmKeyObjectType, mode, nullptr, request, &object));
  Status status = ob::InsertHandle(object, request->granted, attributes->Attributes, handle);
  ob::DereferenceObject(object);
  return status;
}

}  // namespace

Status NtOpenKeyEx(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, ULONG options) {
  if (options & ~REG_OPEN_LEGAL_OPTION) return STATUS_INVALID_PARAMETER;
  OpenRequest request;
  request.desired = access & ~KEY_WOW64_RES;  // there is one view
  request.open_link = options & REG_OPTION_OPEN_LINK;
  return Open(handle, attributes, &request);
}

Status NtOpenKey(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes) {
  return cm::NtOpenKeyEx(handle, access, attributes, 0);
}

Status NtCreateKey(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, ULONG, PUNICODE_STRING class_name,
                   ULONG options, PULONG disposition) {
  if (options & ~REG_LEGAL_OPTION) return STATUS_INVALID_PARAMETER;
  OpenRequest request;
  request.create = true;
  request.options = options;
  request.open_link = options & (REG_OPTION_OPEN_LINK | REG_OPTION_CREATE_LINK);
  request.desired = access & ~KEY_WOW64_RES;
  if (class_name && class_name->Buffer) request.class_name = rtl::View(class_name);
  NT_TRY(Open(handle, attributes, &request));
  if (disposition) *disposition = request.created ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
  return STATUS_SUCCESS;
}

Status NtDeleteKey(HANDLE handle) {
  KeyReference key;
  NT_TRY(key.Open(handle, DELETE));
  Notices notices;
  LockGuard guard(g_lock);
  return DeleteNodeLocked(key.node(), &notices);
}

Status NtRenameKey(HANDLE handle, PUNICODE_STRING name) {
  KeyReference key;
  NT_TRY(key.Open(handle, KEY_WRITE));
  const std::u16string text(rtl::View(name));
  Notices notices;
  LockGuard guard(g_lock);
  return RenameLocked(key.node(), text, &notices);
}

/// There is no disk below: what is set is as durable as the machine.
Status NtFlushKey(HANDLE handle) {
  KeyReference key;
  NT_TRY(key.Open(handle, 0));
  LockGuard guard(g_lock);
  return key.node()->deleted ? STATUS_KEY_DELETED : STATUS_SUCCESS;
}

}  // namespace nt::cm

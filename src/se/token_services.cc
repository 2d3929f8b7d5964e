// Services on tokens by handle: opening, duplicating, enabling privileges.
#include <cstddef>

#include "src/ke/ke.h"
#include "src/ldr/user_access.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/se/se.h"

namespace nt::se {
namespace {

KPROCESSOR_MODE Mode() { return ke::CurrentThread()->previous_mode; }

Status OpenToken(PACCESS_TOKEN token, ACCESS_MASK access, ULONG attributes, PHANDLE handle) {
  if (Mode() != KernelMode) attributes &= ~static_cast<ULONG>(OBJ_KERNEL_HANDLE);
  HANDLE opened;
  const Status status = ob::InsertHandle(token, ob::MapAccess(SeTokenObjectType, access), attributes, &opened);
  ob::DereferenceObject(token);
  if (!status.ok()) return status;
  ldr::WriteUser(handle, opened);
  return STATUS_SUCCESS;
}

/// Copies a TOKEN_PRIVILEGES from the caller.
std::vector<LUID_AND_ATTRIBUTES> Capture(PTOKEN_PRIVILEGES state) {
  const ULONG count = ldr::ReadUser(&state->PrivilegeCount);
  constexpr ULONG kMost = 64;  // there are fewer
  std::vector<LUID_AND_ATTRIBUTES> wanted(std::min(count, kMost));
  for (ULONG i = 0; i < wanted.size(); i++) wanted[i] = ldr::ReadUser(&state->Privileges[i]);
  return wanted;
}

}  // namespace

Status NtOpenProcessTokenEx(HANDLE process_handle, ACCESS_MASK access, ULONG attributes, PHANDLE handle) {
  void* process;
  NT_TRY(ob::ReferenceObjectByHandle(process_handle, PROCESS_QUERY_INFORMATION, PsProcessType, Mode(), &process, nullptr));
  PACCESS_TOKEN token = ReferencePrimaryToken(static_cast<ps::Process*>(process));
  ob::DereferenceObject(process);
  return token ? OpenToken(token, access, attributes, handle) : Status(STATUS_PROCESS_IS_TERMINATING);
}

/// `open_as_self` says whose rights the open is checked with; tokens here may be opened by whoever can open their thread.
Status NtOpenThreadTokenEx(HANDLE thread_handle, ACCESS_MASK access, BOOLEAN, ULONG attributes, PHANDLE handle) {
  void* thread;
  NT_TRY(ob::ReferenceObjectByHandle(thread_handle, THREAD_QUERY_INFORMATION, PsThreadType, Mode(), &thread, nullptr));
  BOOLEAN copy_on_open = FALSE, effective_only = FALSE;
  SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
  PACCESS_TOKEN token =
      ReferenceImpersonationToken(static_cast<ke::Thread*>(thread), &copy_on_open, &effective_only, &level);
  ob::DereferenceObject(thread);
  if (!token) return STATUS_NO_TOKEN;
  if (level == SecurityAnonymous) {
    ob::DereferenceObject(token);
    return STATUS_CANT_OPEN_ANONYMOUS;
  }
  if (copy_on_open) {
    PACCESS_TOKEN copy;
    const Status status = DuplicateToken(token, TokenImpersonation, level, effective_only, &copy);
    ob::DereferenceObject(token);
    if (!status.ok()) return status;
    token = copy;
  }
  return OpenToken(token, access, attributes, handle);
}

Status NtDuplicateToken(HANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, BOOLEAN effective_only,
                        TOKEN_TYPE type, PHANDLE copy_handle) {
  if (type != TokenPrimary && type != TokenImpersonation) return STATUS_INVALID_PARAMETER;
  OBJECT_ATTRIBUTES captured{};
  SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
  if (attributes) {
    captured = ldr::ReadUser(attributes);
    if (captured.SecurityQualityOfService)
      level = ldr::ReadUser(static_cast<PSECURITY_QUALITY_OF_SERVICE>(captured.SecurityQualityOfService)).ImpersonationLevel;
    if (level > SecurityDelegation) return STATUS_BAD_IMPERSONATION_LEVEL;
  }
  void* token;
  OBJECT_HANDLE_INFORMATION information;
  NT_TRY(ob::ReferenceObjectByHandle(handle, TOKEN_DUPLICATE, SeTokenObjectType, Mode(), &token, &information));
  PACCESS_TOKEN copy;
  const Status status = DuplicateToken(token, type, level, effective_only, &copy);
  ob::DereferenceObject(token);
  if (!status.ok()) return status;
  return OpenToken(copy, access ? access : information.GrantedAccess, captured.Attributes, copy_handle);
}

Status NtAdjustPrivilegesToken(HANDLE handle, BOOLEAN disable_all, PTOKEN_PRIVILEGES state, ULONG bytes,
                               PTOKEN_PRIVILEGES previous, PULONG needed) {
  std::vector<LUID_AND_ATTRIBUTES> wanted;
  if (!disable_all) {
    if (!state) return STATUS_INVALID_PARAMETER;
    wanted = Capture(state);
  }
  void* object;
  NT_TRY(ob::ReferenceObjectByHandle(handle, TOKEN_ADJUST_PRIVILEGES | (previous ? TOKEN_QUERY : 0u), SeTokenObjectType,
                                     Mode(), &object, nullptr));
  struct Release {
    void* object;
    ~Release() { ob::DereferenceObject(object); }
  } release{object};
  auto& held = AsToken(object)->content->privileges;
  if (disable_all)
    for (auto& privilege : held) wanted.push_back({privilege.Luid, 0});

  struct Change {
    LUID_AND_ATTRIBUTES* privilege;
    ULONG attributes;
  };
  std::vector<Change> changes;
  std::vector<LUID_AND_ATTRIBUTES> before;
  size_t found = 0;
  for (auto& want : wanted)
    for (auto& privilege : held) {
      if (privilege.Luid.LowPart != want.Luid.LowPart || privilege.Luid.HighPart != want.Luid.HighPart) continue;
      found++;
      const ULONG now = std::atomic_ref(privilege.Attributes).load(std::memory_order_relaxed);
      // A removed privilege is only disabled: the entry stays, since others walk the list.
      const ULONG then = want.Attributes & SE_PRIVILEGE_REMOVED ? 0
                         : want.Attributes & SE_PRIVILEGE_ENABLED ? now | SE_PRIVILEGE_ENABLED
                                                                  : now & ~SE_PRIVILEGE_ENABLED;
      if (then == now) continue;
      before.push_back({privilege.Luid, now});
      changes.push_back({&privilege, then});
    }
  if (previous) {
    const auto total = static_cast<ULONG>(offsetof(TOKEN_PRIVILEGES, Privileges) + before.size() * sizeof(LUID_AND_ATTRIBUTES));
    if (needed) ldr::WriteUser(needed, total);
    if (bytes < total) return STATUS_BUFFER_TOO_SMALL;
    ldr::WriteUser(&previous->PrivilegeCount, static_cast<ULONG>(before.size()));
    for (size_t i = 0; i < before.size(); i++) ldr::WriteUser(&previous->Privileges[i], before[i]);
  }
  for (auto& change : changes)
    std::atomic_ref(change.privilege->Attributes).store(change.attributes, std::memory_order_relaxed);
  if (!changes.empty()) AsToken(object)->modified_id = NewLuid();
  return found == wanted.size() ? STATUS_SUCCESS : STATUS_NOT_ALL_ASSIGNED;
}

}  // namespace nt::se

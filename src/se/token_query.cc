// What a token tells of itself. One description serves SeQueryInformationToken and NtQueryInformationToken: a structure whose
// pointers lead into the block that follows it.
#include <cstring>

#include "src/ex/ex.h"
#include "src/ke/ke.h"
#include "src/ldr/user_access.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::se {
namespace {

/// Bytes that will lie at `base`; pointers inside are made for that address.
class Block {
 public:
  explicit Block(ULONG_PTR base) : base_(base) {}

  /// Zeroed room; an offset, as the bytes may move.
  size_t Reserve(size_t bytes) {
    const size_t at = (bytes_.size() + 7) / 8 * 8;
    bytes_.resize(at + bytes);
    return at;
  }
  template <class T>
  T* At(size_t offset) {
    return reinterpret_cast<T*>(bytes_.data() + offset);
  }
  template <class T>
  void Put(const T& value) {
    const size_t at = Reserve(sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  PVOID Address(size_t offset) const { return reinterpret_cast<PVOID>(base_ + offset); }
  PVOID Copy(const void* data, size_t bytes) {
    const size_t at = Reserve(bytes);
    std::memcpy(bytes_.data() + at, data, bytes);
    return Address(at);
  }
  PSID Copy(const Sid& sid) { return Copy(sid.get(), sid.length()); }
  const std::vector<UCHAR>& bytes() const { return bytes_; }

 private:
  const ULONG_PTR base_;
  std::vector<UCHAR> bytes_;
};

void PutGroups(const std::vector<Group>& groups, size_t array, Block* block) {
  for (size_t i = 0; i < groups.size(); i++) {
    const SID_AND_ATTRIBUTES entry{block->Copy(groups[i].sid), groups[i].attributes};
    block->At<SID_AND_ATTRIBUTES>(array)[i] = entry;
  }
}

void PutGroupList(const std::vector<Group>& groups, Block* block) {
  const size_t head = block->Reserve(offsetof(TOKEN_GROUPS, Groups) + groups.size() * sizeof(SID_AND_ATTRIBUTES));
  block->At<TOKEN_GROUPS>(head)->GroupCount = static_cast<ULONG>(groups.size());
  PutGroups(groups, head + offsetof(TOKEN_GROUPS, Groups), block);
}

LUID_AND_ATTRIBUTES Read(LUID_AND_ATTRIBUTES& privilege) {
  return {privilege.Luid, std::atomic_ref(privilege.Attributes).load(std::memory_order_relaxed)};
}

Status Describe(PACCESS_TOKEN token, TOKEN_INFORMATION_CLASS information_class, Block* block) {
  auto& content = *AsToken(token)->content;
  switch (static_cast<int>(information_class)) {
    case ::TokenUser: {
      const size_t head = block->Reserve(sizeof(TOKEN_USER));
      const PSID sid = block->Copy(content.user);
      block->At<TOKEN_USER>(head)->User = {sid, content.user_deny_only ? SE_GROUP_USE_FOR_DENY_ONLY : 0};
      return STATUS_SUCCESS;
    }
    case ::TokenGroups:
      PutGroupList(content.groups, block);
      return STATUS_SUCCESS;
    case ::TokenRestrictedSids:
      PutGroupList(content.restricted_sids, block);
      return STATUS_SUCCESS;
    case ::TokenPrivileges: {
      const size_t head =
          block->Reserve(offsetof(TOKEN_PRIVILEGES, Privileges) + content.privileges.size() * sizeof(LUID_AND_ATTRIBUTES));
      auto* list = block->At<TOKEN_PRIVILEGES>(head);
      for (auto& privilege : content.privileges) list->Privileges[list->PrivilegeCount++] = Read(privilege);
      return STATUS_SUCCESS;
    }
    case ::TokenOwner: {
      const size_t head = block->Reserve(sizeof(TOKEN_OWNER));
      const PSID sid = block->Copy(content.owner);
      block->At<TOKEN_OWNER>(head)->Owner = sid;
      return STATUS_SUCCESS;
    }
    case ::TokenPrimaryGroup: {
      const size_t head = block->Reserve(sizeof(TOKEN_PRIMARY_GROUP));
      const PSID sid = block->Copy(content.primary_group);
      block->At<TOKEN_PRIMARY_GROUP>(head)->PrimaryGroup = sid;
      return STATUS_SUCCESS;
    }
    case ::TokenDefaultDacl: {
      const size_t head = block->Reserve(sizeof(TOKEN_DEFAULT_DACL));
      if (content.default_dacl.empty()) return STATUS_SUCCESS;
      const PVOID acl = block->Copy(content.default_dacl.data(), content.default_dacl.size());
      block->At<TOKEN_DEFAULT_DACL>(head)->DefaultDacl = static_cast<PACL>(acl);
      return STATUS_SUCCESS;
    }
    case ::TokenSource:
      block->Put(content.source);
      return STATUS_SUCCESS;
    case ::TokenType:
      block->Put(content.type);
      return STATUS_SUCCESS;
    case ::TokenImpersonationLevel:
      if (content.type != TokenImpersonation) return STATUS_INVALID_INFO_CLASS;
      block->Put(content.level);
      return STATUS_SUCCESS;
    case ::TokenStatistics: {
      TOKEN_STATISTICS statistics{};
      statistics.TokenId = AsToken(token)->token_id;
      statistics.AuthenticationId = content.authentication_id;
      statistics.ExpirationTime.QuadPart = MAXLONGLONG;
      statistics.TokenType = content.type;
      statistics.ImpersonationLevel = content.level;
      statistics.GroupCount = static_cast<ULONG>(content.groups.size());
      statistics.PrivilegeCount = static_cast<ULONG>(content.privileges.size());
      statistics.ModifiedId = AsToken(token)->modified_id.load();
      block->Put(statistics);
      return STATUS_SUCCESS;
    }
    case ::TokenSessionId:
      block->Put(AsToken(token)->session_id.load());
      return STATUS_SUCCESS;
    case ::TokenOrigin:
      block->Put(TOKEN_ORIGIN{});
      return STATUS_SUCCESS;
    case ::TokenElevation:
      block->Put(TOKEN_ELEVATION{TokenIsAdmin(token) ? 1u : 0u});
      return STATUS_SUCCESS;
    case ::TokenElevationType:
      block->Put(TokenElevationTypeDefault);
      return STATUS_SUCCESS;
    case ::TokenHasRestrictions:
      block->Put(ULONG{TokenIsRestricted(token)});
      return STATUS_SUCCESS;
    case ::TokenSandBoxInert:
      block->Put(ULONG{content.sandbox_inert});
      return STATUS_SUCCESS;
    case ::TokenIsAppContainer:
      block->Put(ULONG{0});
      return STATUS_SUCCESS;
    case ::TokenMandatoryPolicy:
      block->Put(TOKEN_MANDATORY_POLICY{TOKEN_MANDATORY_POLICY_NO_WRITE_UP});
      return STATUS_SUCCESS;
    case ::TokenIntegrityLevel: {
      const size_t head = block->Reserve(sizeof(TOKEN_MANDATORY_LABEL));
      for (auto& group : content.groups) {
        if (!(group.attributes & SE_GROUP_INTEGRITY)) continue;
        const SID_AND_ATTRIBUTES label{block->Copy(group.sid), group.attributes};
        block->At<TOKEN_MANDATORY_LABEL>(head)->Label = label;
        return STATUS_SUCCESS;
      }
      const SID_AND_ATTRIBUTES label{block->Copy(Sid(Exports().SeUntrustedMandatorySid)), SE_GROUP_INTEGRITY};
      block->At<TOKEN_MANDATORY_LABEL>(head)->Label = label;
      return STATUS_SUCCESS;
    }
    default:
      return STATUS_INVALID_INFO_CLASS;
  }
}

}  // namespace

Status QueryInformationToken(PACCESS_TOKEN token, TOKEN_INFORMATION_CLASS information_class, PVOID* information) {
  if (information_class == ::TokenSessionId) {
    *reinterpret_cast<PULONG>(information) = AsToken(token)->session_id.load();
    return STATUS_SUCCESS;
  }
  if (information_class == ::TokenIntegrityLevel) {
    *reinterpret_cast<PULONG>(information) = TokenIntegrity(token);
    return STATUS_SUCCESS;
  }
  Block sizes(0);
  NT_TRY(Describe(token, information_class, &sizes));
  void* memory = ex::AllocatePool(PagedPool, sizes.bytes().size(), 'nIeS');
  if (!memory) return STATUS_INSUFFICIENT_RESOURCES;
  Block block(reinterpret_cast<ULONG_PTR>(memory));
  const Status status = Describe(token, information_class, &block);  // content does not change, so it fits
  if (!status.ok()) {
    ex::FreePool(memory);
    return status;
  }
  std::memcpy(memory, block.bytes().data(), block.bytes().size());
  *information = memory;
  return STATUS_SUCCESS;
}

Status NtQueryInformationToken(HANDLE handle, TOKEN_INFORMATION_CLASS information_class, PVOID information, ULONG bytes,
                               PULONG needed) {
  void* token;
  const ACCESS_MASK access = information_class == ::TokenSource ? TOKEN_QUERY_SOURCE : TOKEN_QUERY;
  const KPROCESSOR_MODE mode = ke::CurrentThread()->previous_mode;
  if (handle == NtCurrentProcessToken() || handle == NtCurrentThreadToken() || handle == NtCurrentThreadEffectiveToken()) {
    ke::Thread* thread = ke::CurrentThread();
    token = handle == NtCurrentProcessToken() ? nullptr : ReferenceImpersonationToken(thread, nullptr, nullptr, nullptr);
    if (!token && handle == NtCurrentThreadToken()) return STATUS_NO_TOKEN;
    if (!token) token = ReferencePrimaryToken(thread->process.load(std::memory_order_relaxed));
  } else {
    NT_TRY(ob::ReferenceObjectByHandle(handle, access, SeTokenObjectType, mode, &token, nullptr));
  }
  Block block(reinterpret_cast<ULONG_PTR>(information));
  const Status status = Describe(token, information_class, &block);
  ob::DereferenceObject(token);
  if (!status.ok()) return status;
  ldr::WriteUser(needed, static_cast<ULONG>(block.bytes().size()));
  if (bytes < block.bytes().size()) return STATUS_BUFFER_TOO_SMALL;
  ldr::CopyToUser(information, block.bytes().data(), block.bytes().size());
  return STATUS_SUCCESS;
}

Status LocateProcessImageName(ps::Process* process, PUNICODE_STRING* name) {
  const std::u16string& path = *process->image_path;
  const auto bytes = static_cast<USHORT>(std::min<size_t>(path.size(), 0x7FFE) * sizeof(WCHAR));
  auto* string = static_cast<PUNICODE_STRING>(ex::AllocatePool(PagedPool, sizeof(UNICODE_STRING) + bytes + sizeof(WCHAR), 'nPeS'));
  if (!string) return STATUS_NO_MEMORY;
  string->Buffer = reinterpret_cast<PWCH>(string + 1);
  string->Length = bytes;
  string->MaximumLength = bytes + sizeof(WCHAR);
  std::memcpy(string->Buffer, path.data(), bytes);
  string->Buffer[bytes / sizeof(WCHAR)] = 0;
  *name = string;
  return STATUS_SUCCESS;
}

}  // namespace nt::se

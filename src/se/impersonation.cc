// Which token a thread acts with: primary tokens of processes, impersonation by threads, client security.
//
// g_lock guards the exchange of a process's or thread's token against those who reference it.
#include "src/se/impersonation.h"

#include "src/base/lock.h"
#include "src/ke/ke.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/se/se.h"

namespace nt::se {
namespace {

Lock g_lock(LockRank::kSecurity);

// Thread::impersonation_flags: the level in the low bits.
constexpr ULONG kLevelMask = 0x3, kCopyOnOpen = 0x4, kEffectiveOnly = 0x8;

/// Takes over the caller's reference to `token`; returns the one that the thread held.
void* Exchange(ke::Thread* thread, void* token, ULONG flags) {
  LockGuard guard(g_lock);
  thread->impersonation_flags = flags;
  return std::exchange(thread->impersonation_token, token);
}

void ThreadExits(ke::Thread* thread) {
  if (void* token = Exchange(thread, nullptr, 0)) ob::DereferenceObject(token);
}

/// What a client of level `level` may be used for.
Status CheckLevels(const SECURITY_SUBJECT_CONTEXT& subject, const SECURITY_QUALITY_OF_SERVICE& quality, bool remote) {
  if (quality.ImpersonationLevel > SecurityDelegation) return STATUS_BAD_IMPERSONATION_LEVEL;
  if (!subject.ClientToken) return STATUS_SUCCESS;
  // A client that only identifies itself cannot be impersonated further, nor at more than its own level.
  if (quality.ImpersonationLevel > subject.ImpersonationLevel || subject.ImpersonationLevel <= SecurityIdentification)
    return STATUS_BAD_IMPERSONATION_LEVEL;
  if (remote && subject.ImpersonationLevel != SecurityDelegation) return STATUS_BAD_IMPERSONATION_LEVEL;
  return STATUS_SUCCESS;
}

Status MakeClientContext(const SECURITY_SUBJECT_CONTEXT& subject, const SECURITY_QUALITY_OF_SERVICE& quality,
                         bool subject_effective_only, bool client_is_remote, bool server_is_remote,
                         PSECURITY_CLIENT_CONTEXT context) {
  NT_TRY(CheckLevels(subject, quality, client_is_remote));
  PACCESS_TOKEN token = EffectiveToken(&subject);
  *context = {};
  context->SecurityQos = quality;
  context->ServerIsRemote = server_is_remote;
  if (quality.ContextTrackingMode == SECURITY_STATIC_TRACKING) {
    NT_TRY(DuplicateToken(token, TokenImpersonation, quality.ImpersonationLevel, quality.EffectiveOnly, &context->ClientToken));
  } else {
    context->DirectlyAccessClientToken = TRUE;
    context->DirectAccessEffectiveOnly = subject_effective_only || quality.EffectiveOnly;
    ob::ReferenceObject(token);
    context->ClientToken = token;
  }
  const auto* source = AsToken(token);
  context->ClientTokenControl.TokenId = source->token_id;
  context->ClientTokenControl.AuthenticationId = source->content->authentication_id;
  context->ClientTokenControl.ModifiedId = source->modified_id.load();
  context->ClientTokenControl.TokenSource = source->content->source;
  return STATUS_SUCCESS;
}

}  // namespace

void ImpersonationBoot() { ke::AddThreadExitHook(ThreadExits); }

void SetProcessToken(ps::Process* process, PACCESS_TOKEN token) {
  if (token) ob::ReferenceObject(token);
  void* before;
  {
    LockGuard guard(g_lock);
    before = process->token.exchange(token);
  }
  if (before) ob::DereferenceObject(before);
}

PACCESS_TOKEN ReferencePrimaryToken(ps::Process* process) {
  LockGuard guard(g_lock);
  void* token = process->token.load();
  if (token) ob::ReferenceObject(token);
  return token;
}

PACCESS_TOKEN ReferenceImpersonationToken(ke::Thread* thread, PBOOLEAN copy_on_open, PBOOLEAN effective_only,
                                          PSECURITY_IMPERSONATION_LEVEL level) {
  LockGuard guard(g_lock);
  void* token = thread->impersonation_token;
  if (!token) return nullptr;
  ob::ReferenceObject(token);
  const ULONG flags = thread->impersonation_flags;
  if (copy_on_open) *copy_on_open = (flags & kCopyOnOpen) != 0;
  if (effective_only) *effective_only = (flags & kEffectiveOnly) != 0;
  if (level) *level = static_cast<SECURITY_IMPERSONATION_LEVEL>(flags & kLevelMask);
  return token;
}

Status ImpersonateClient(ke::Thread* thread, PACCESS_TOKEN token, bool copy_on_open, bool effective_only,
                         SECURITY_IMPERSONATION_LEVEL level) {
  if (token) {
    if (level > SecurityDelegation) return STATUS_BAD_IMPERSONATION_LEVEL;
    // An impersonation token cannot be used beyond what its client granted.
    if (TokenType(token) == TokenImpersonation && level > AsToken(token)->content->level)
      level = AsToken(token)->content->level;
    ob::ReferenceObject(token);
  }
  const ULONG flags = static_cast<ULONG>(level) | (copy_on_open ? kCopyOnOpen : 0) | (effective_only ? kEffectiveOnly : 0);
  if (void* before = Exchange(thread, token, token ? flags : 0)) ob::DereferenceObject(before);
  return STATUS_SUCCESS;
}

Status AssignImpersonationToken(ke::Thread* thread, HANDLE handle) {
  if (!handle) return se::ImpersonateClient(thread, nullptr, false, false, SecurityAnonymous);
  void* token;
  NT_TRY(ob::ReferenceObjectByHandle(handle, TOKEN_IMPERSONATE, SeTokenObjectType, ke::CurrentThread()->previous_mode,
                                     &token, nullptr));
  Status status = STATUS_BAD_TOKEN_TYPE;
  if (TokenType(token) == TokenImpersonation)
    status = se::ImpersonateClient(thread, token, false, false, AsToken(token)->content->level);
  ob::DereferenceObject(token);
  return status;
}

bool DisableImpersonation(ke::Thread* thread, PSE_IMPERSONATION_STATE state) {
  *state = {};
  LockGuard guard(g_lock);
  void* token = std::exchange(thread->impersonation_token, nullptr);
  if (!token) return false;
  const ULONG flags = std::exchange(thread->impersonation_flags, 0);
  state->Token = token;  // with the thread's reference
  state->CopyOnOpen = (flags & kCopyOnOpen) != 0;
  state->EffectiveOnly = (flags & kEffectiveOnly) != 0;
  state->Level = static_cast<SECURITY_IMPERSONATION_LEVEL>(flags & kLevelMask);
  return true;
}

void RestoreImpersonation(ke::Thread* thread, PSE_IMPERSONATION_STATE state) {
  if (!state->Token) return;
  const ULONG flags = static_cast<ULONG>(state->Level) | (state->CopyOnOpen ? kCopyOnOpen : 0) |
                      (state->EffectiveOnly ? kEffectiveOnly : 0);
  if (void* before = Exchange(thread, std::exchange(state->Token, nullptr), flags)) ob::DereferenceObject(before);
}

bool IsThreadImpersonating(ke::Thread* thread) {
  LockGuard guard(g_lock);
  return thread->impersonation_token != nullptr;
}

Status CreateClientSecurity(ke::Thread* client, PSECURITY_QUALITY_OF_SERVICE quality, bool remote_session,
                            PSECURITY_CLIENT_CONTEXT context) {
  SECURITY_SUBJECT_CONTEXT subject{};
  BOOLEAN effective_only = FALSE;
  subject.PrimaryToken = ReferencePrimaryToken(client->process.load(std::memory_order_relaxed));
  subject.ClientToken = ReferenceImpersonationToken(client, nullptr, &effective_only, &subject.ImpersonationLevel);
  const Status status = MakeClientContext(subject, *quality, effective_only, remote_session, false, context);
  ReleaseSubjectContext(&subject);
  return status;
}

Status CreateClientSecurityFromSubjectContext(PSECURITY_SUBJECT_CONTEXT subject, PSECURITY_QUALITY_OF_SERVICE quality,
                                              bool server_is_remote, PSECURITY_CLIENT_CONTEXT context) {
  return MakeClientContext(*subject, *quality, false, server_is_remote, server_is_remote, context);
}

Status ImpersonateClientEx(PSECURITY_CLIENT_CONTEXT context, ke::Thread* thread) {
  // A token that was copied has the quality in it already.
  const bool effective_only =
      context->DirectlyAccessClientToken ? context->DirectAccessEffectiveOnly : context->SecurityQos.EffectiveOnly;
  return se::ImpersonateClient(thread ? thread : ke::CurrentThread(), context->ClientToken, true, effective_only,
                               context->SecurityQos.ImpersonationLevel);
}

}  // namespace nt::se

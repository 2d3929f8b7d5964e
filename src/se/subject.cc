// Subject contexts: the tokens of a thread and its process, captured for a check. Privileges.
#include "src/ke/thread.h"
#include "src/ob/ob.h"
#include "src/ps/ps.h"
#include "src/se/se.h"

namespace nt::se {
namespace {

/// An identification-level client lends its name, not its rights.
bool MayActAsClient(const SECURITY_SUBJECT_CONTEXT* context) {
  return !context->ClientToken || context->ImpersonationLevel >= SecurityImpersonation;
}

}  // namespace

void CaptureSubjectContextEx(ke::Thread* thread, ps::Process* process, PSECURITY_SUBJECT_CONTEXT context) {
  *context = {};
  context->PrimaryToken = ReferencePrimaryToken(process);
  if (thread) context->ClientToken = ReferenceImpersonationToken(thread, nullptr, nullptr, &context->ImpersonationLevel);
  context->ProcessAuditId = reinterpret_cast<PVOID>(process->id);
}

void CaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT context) {
  auto* thread = ke::CurrentThread();
  se::CaptureSubjectContextEx(thread, thread->process.load(std::memory_order_relaxed), context);
}

void ReleaseSubjectContext(PSECURITY_SUBJECT_CONTEXT context) {
  if (context->PrimaryToken) ob::DereferenceObject(std::exchange(context->PrimaryToken, nullptr));
  if (context->ClientToken) ob::DereferenceObject(std::exchange(context->ClientToken, nullptr));
}

bool PrivilegeCheck(PPRIVILEGE_SET required, PSECURITY_SUBJECT_CONTEXT context, KPROCESSOR_MODE mode) {
  if (mode == KernelMode) return true;
  if (!MayActAsClient(context)) return false;
  PACCESS_TOKEN token = EffectiveToken(context);
  ULONG held = 0;
  for (ULONG i = 0; i < required->PrivilegeCount; i++) {
    if (!TokenHasPrivilege(token, required->Privilege[i].Luid)) continue;
    required->Privilege[i].Attributes |= SE_PRIVILEGE_USED_FOR_ACCESS;
    held++;
  }
  return required->Control & PRIVILEGE_SET_ALL_NECESSARY ? held == required->PrivilegeCount : held > 0;
}

bool SinglePrivilegeCheck(LUID privilege, KPROCESSOR_MODE mode) {
  if (mode == KernelMode) return true;
  SECURITY_SUBJECT_CONTEXT context;
  CaptureSubjectContext(&context);
  const bool held = MayActAsClient(&context) && TokenHasPrivilege(EffectiveToken(&context), privilege);
  ReleaseSubjectContext(&context);
  return held;
}

}  // namespace nt::se

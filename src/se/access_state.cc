// ACCESS_STATE: what an open asks for and has been given so far; travels in the create IRP.
#include <cstring>

#include "src/ex/ex.h"
#include "src/ob/ob.h"
#include "src/rtl/rtl.h"
#include "src/se/se.h"

namespace nt::se {

Status CreateAccessState(PACCESS_STATE state, AuxAccessData* auxiliary, ACCESS_MASK desired, PGENERIC_MAPPING mapping) {
  std::memset(static_cast<void*>(state), 0, sizeof *state);
  *auxiliary = {};
  if (mapping) {
    rtl::MapGenericMask(&desired, mapping);
    auxiliary->mapping = *mapping;
  }
  CaptureSubjectContext(&state->SubjectSecurityContext);
  state->OriginalDesiredAccess = desired;
  state->RemainingDesiredAccess = desired;
  state->AuxData = auxiliary;
  state->Privileges.InitialPrivilegeSet.PrivilegeCount = 0;
  // Whoever may skip traverse checks (almost everyone) says so to the file system.
  if (TokenHasPrivilege(EffectiveToken(&state->SubjectSecurityContext), Exports().SeChangeNotifyPrivilege))
    state->Flags = TOKEN_HAS_TRAVERSE_PRIVILEGE;
  return STATUS_SUCCESS;
}

void DeleteAccessState(PACCESS_STATE state) {
  auto* auxiliary = static_cast<AuxAccessData*>(state->AuxData);
  if (auxiliary->privileges_used) ex::FreePool(auxiliary->privileges_used);
  if (state->ObjectName.Buffer) ex::FreePool(state->ObjectName.Buffer);
  if (state->ObjectTypeName.Buffer) ex::FreePool(state->ObjectTypeName.Buffer);
  ReleaseSubjectContext(&state->SubjectSecurityContext);
}

void SetAccessStateGenericMapping(PACCESS_STATE state, PGENERIC_MAPPING mapping) {
  static_cast<AuxAccessData*>(state->AuxData)->mapping = *mapping;
}

}  // namespace nt::se

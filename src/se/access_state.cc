// ACCESS_STATE: what an open asks for and has been given so far; travels in the create IRP.
#include <cstddef>
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
  auxiliary->privileges_used = &state->Privileges.PrivilegeSet;
  state->OperationID = NewLuid();
  // Whoever may skip traverse checks (almost everyone) says so to the file system.
  if (TokenHasPrivilege(EffectiveToken(&state->SubjectSecurityContext), Exports().SeChangeNotifyPrivilege))
    state->Flags = TOKEN_HAS_TRAVERSE_PRIVILEGE;
  return STATUS_SUCCESS;
}

void DeleteAccessState(PACCESS_STATE state) {
  auto* auxiliary = static_cast<AuxAccessData*>(state->AuxData);
  if (state->PrivilegesAllocated) ex::FreePool(auxiliary->privileges_used);
  if (state->ObjectName.Buffer) ex::FreePool(state->ObjectName.Buffer);
  if (state->ObjectTypeName.Buffer) ex::FreePool(state->ObjectTypeName.Buffer);
  ReleaseSubjectContext(&state->SubjectSecurityContext);
}

void SetAccessStateGenericMapping(PACCESS_STATE state, PGENERIC_MAPPING mapping) {
  static_cast<AuxAccessData*>(state->AuxData)->mapping = *mapping;
}

Status AppendPrivileges(PACCESS_STATE state, PPRIVILEGE_SET privileges) {
  auto* auxiliary = static_cast<AuxAccessData*>(state->AuxData);
  PPRIVILEGE_SET used = auxiliary->privileges_used;
  const ULONG total = used->PrivilegeCount + privileges->PrivilegeCount;
  if (total > INITIAL_PRIVILEGE_COUNT) {
    // The set in the state is full, or has been replaced already.
    const SIZE_T bytes = offsetof(PRIVILEGE_SET, Privilege) + total * sizeof(LUID_AND_ATTRIBUTES);
    auto* larger = static_cast<PPRIVILEGE_SET>(ex::AllocatePool(PagedPool, bytes, 'rPeS'));
    if (!larger) return STATUS_INSUFFICIENT_RESOURCES;
    larger->Control = used->Control;
    std::memcpy(larger->Privilege, used->Privilege, used->PrivilegeCount * sizeof(LUID_AND_ATTRIBUTES));
    larger->PrivilegeCount = used->PrivilegeCount;
    if (state->PrivilegesAllocated) ex::FreePool(used);
    state->PrivilegesAllocated = TRUE;
    auxiliary->privileges_used = used = larger;
  }
  std::memcpy(used->Privilege + used->PrivilegeCount, privileges->Privilege,
              privileges->PrivilegeCount * sizeof(LUID_AND_ATTRIBUTES));
  used->PrivilegeCount = total;
  return STATUS_SUCCESS;
}

}  // namespace nt::se

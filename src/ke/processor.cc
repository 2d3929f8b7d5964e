// Processors, affinity, priorities. Affinity chooses among the virtual processors; priorities are kept and reported, the
// host schedules.
#include "src/ke/internal.h"

namespace nt::ke {
namespace {

ULONG CountOf(USHORT group) { return group == 0 || group == ALL_PROCESSOR_GROUPS ? TheState().processor_count : 0; }

KAFFINITY SetAffinity(Thread* thread, KAFFINITY affinity) {
  State& state = TheState();
  affinity &= state.active;
  if (affinity == 0) BugCheckWithMessage("an affinity without active processors", INVALID_AFFINITY_SET);
  const KAFFINITY before = std::exchange(thread->affinity, affinity);
  if (!(affinity >> thread->last_processor & 1)) {
    const unsigned number = static_cast<unsigned>(__builtin_ctzll(affinity));
    if (thread->irql >= DISPATCH_LEVEL) return before;  // takes effect at the next raise, as a switch would
    thread->last_processor = number;
    thread->pcr.processor_number = number;
    thread->pcr.prcb_number = number;
  }
  return before;
}

}  // namespace

KAFFINITY QueryActiveProcessors() { return TheState().active; }
ULONG QueryActiveProcessorCount(PKAFFINITY active) {
  if (active) *active = TheState().active;
  return TheState().processor_count;
}
ULONG QueryActiveProcessorCountEx(USHORT group) { return CountOf(group); }
ULONG QueryMaximumProcessorCount() { return TheState().processor_count; }
ULONG QueryMaximumProcessorCountEx(USHORT group) { return CountOf(group); }
USHORT QueryActiveGroupCount() { return 1; }
USHORT QueryMaximumGroupCount() { return 1; }
KAFFINITY QueryGroupAffinity(USHORT group) { return group == 0 ? TheState().active : 0; }

ULONG GetCurrentProcessorNumber() { return CurrentThread()->last_processor; }

ULONG GetCurrentProcessorNumberEx(PPROCESSOR_NUMBER number) {
  const ULONG index = GetCurrentProcessorNumber();
  if (number) *number = {0, static_cast<UCHAR>(index), 0};
  return index;
}

KAFFINITY SetSystemAffinityThreadEx(KAFFINITY affinity) {
  Thread* thread = CurrentThread();
  const bool already = thread->user_affinity != 0;
  const KAFFINITY before = SetAffinity(thread, affinity);
  if (!already) thread->user_affinity = before;
  return already ? before : 0;
}

void SetSystemAffinityThread(KAFFINITY affinity) { SetSystemAffinityThreadEx(affinity); }

void RevertToUserAffinityThreadEx(KAFFINITY affinity) {
  Thread* thread = CurrentThread();
  if (affinity != 0) {
    SetAffinity(thread, affinity);
    return;
  }
  if (thread->user_affinity == 0) return;
  SetAffinity(thread, std::exchange(thread->user_affinity, 0));
}

void RevertToUserAffinityThread() { RevertToUserAffinityThreadEx(0); }

void SetSystemGroupAffinityThread(PGROUP_AFFINITY affinity, PGROUP_AFFINITY previous) {
  if (affinity->Group != 0) return;  // as documented: an invalid group changes nothing
  const KAFFINITY before = SetSystemAffinityThreadEx(affinity->Mask);
  if (previous) *previous = {before, 0, {}};
}

void RevertToUserGroupAffinityThread(PGROUP_AFFINITY previous) {
  if (previous->Group == 0) RevertToUserAffinityThreadEx(previous->Mask);
}

Status GetProcessorNumberFromIndex(ULONG index, PPROCESSOR_NUMBER number) {
  if (index >= TheState().processor_count) return STATUS_INVALID_PARAMETER;
  *number = {0, static_cast<UCHAR>(index), 0};
  return STATUS_SUCCESS;
}

ULONG GetProcessorIndexFromNumber(PPROCESSOR_NUMBER number) {
  const bool valid = number->Group == 0 && number->Number < TheState().processor_count && number->Reserved == 0;
  return valid ? number->Number : ~0u;  // INVALID_PROCESSOR_INDEX
}

KPRIORITY SetPriorityThread(PKTHREAD target, KPRIORITY priority) {
  Dispatcher dispatcher;
  return std::exchange(AsThread(target)->priority, priority);
}

KPRIORITY QueryPriorityThread(PKTHREAD target) {
  Dispatcher dispatcher;
  return AsThread(target)->priority;
}

LONG SetBasePriorityThread(PKTHREAD target, LONG increment) {
  Dispatcher dispatcher;
  return std::exchange(AsThread(target)->base_priority_increment, increment);
}

ULONG GetRecommendedSharedDataAlignment() { return 64; }

}  // namespace nt::ke

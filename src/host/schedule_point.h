// A point at which a scheduler may switch threads: every export and every callback passes one. The real host does nothing
// here; a simulated host replaces the hook, and a bug check uses it to park threads that enter the machine.
#pragma once

#include <atomic>

namespace host {

inline std::atomic<void (*)()> g_schedule_hook{nullptr};

inline void SchedulePoint() {
  if (auto* hook = g_schedule_hook.load(std::memory_order_relaxed)) [[unlikely]]
    hook();
}

}  // namespace host

// A failed ASSERT of a checked driver. A machine has no kernel debugger that could take the break, and an exception would end
// in the driver's own handler as one more failed request: the assertion is reported, and the machine stops.
#include "ntstatus.h"
#include "src/kd/kd.h"
#include "src/ke/bug_check.h"

namespace nt::kd {

namespace {
constexpr ULONG kKmodeExceptionNotHandled = 0x1E;
}

void AssertionFailed(const char* expression, const char* file, ULONG line, const char* message) {
  std::string text = "Assertion failed: ";
  if (message) text += message;
  text += expression ? expression : "(no text)";
  text += "; " + std::string(file ? file : "?") + ", line " + std::to_string(line);
  ke::BugCheckWithMessage(text.c_str(), kKmodeExceptionNotHandled, static_cast<ULONG>(STATUS_ASSERTION_FAILURE));
}

}  // namespace nt::kd

// What the four parameters of a bug check mean, in short, for the codes that this runtime raises and drivers meet most.
// Facts: learn.microsoft.com, "Bug check code reference".
#include <algorithm>
#include <iterator>

#include "src/ke/bug_check.h"

namespace nt::ke {
namespace {

struct Row {
  ULONG code;
  const char* meaning[4];  // nullptr: reserved
};

// Sorted by code.
constexpr Row kRows[] = {
    {0x0A, {"address referenced", "IRQL at the time", "0 read, 1 write, 8 execute", "address of the instruction"}},
    {0x0F, {"spin lock", nullptr, nullptr, nullptr}},
    {0x10, {"spin lock", nullptr, nullptr, nullptr}},
    {0x18, {"object type", "object", nullptr, "reference count"}},
    {0x1A, {"kind of violation", nullptr, nullptr, nullptr}},
    {0x1E, {"exception code", "address of the instruction", "first parameter of the exception",
            "second parameter of the exception"}},
    {0x35, {"IRP", nullptr, nullptr, nullptr}},
    {0x44, {"IRP", nullptr, nullptr, nullptr}},
    {0x48, {"IRP", "cancel routine", nullptr, nullptr}},
    {0x4A, {"address of the system service", "IRQL at its end", nullptr, nullptr}},
    {0x50, {"address referenced", "0 read, 2 write, 10 execute", "address of the instruction", nullptr}},
    {0x7E, {"exception code", "address of the instruction", "exception record", "context record"}},
    {0x7F, {"trap number (0 divide error, 6 invalid opcode, 8 double fault)", nullptr, nullptr, nullptr}},
    {0x93, {"handle", "kind of violation", nullptr, nullptr}},
    {0xC2, {"kind of violation", nullptr, nullptr, nullptr}},
    {0xC4, {"kind of violation", nullptr, nullptr, nullptr}},
    {0xC8, {"IRQL << 16 | expected IRQL << 8", nullptr, nullptr, nullptr}},
    {0xC9, {"kind of violation", nullptr, nullptr, nullptr}},
    {0xD1, {"address referenced", "IRQL at the time", "0 read, 1 write, 8 execute", "address of the instruction"}},
    {0xE1, {"worker routine", "IRQL it returned at", "its parameter", "work item"}},
    {0xE3, {"resource", "thread", "owner table", "kind of violation"}},
    {0xEA, {"thread that is stuck", nullptr, nullptr, nullptr}},
    {0x132, {"resource", "thread", "owner pointer", "kind of violation"}},
    {0x139, {"kind of corruption (2 stack cookie, 3 list entry)", "context record", "exception record", nullptr}},
};

}  // namespace

const char* BugCheckParameterMeaning(ULONG code, int index) {
  const auto* row = std::lower_bound(std::begin(kRows), std::end(kRows), code,
                                     [](const Row& at, ULONG wanted) { return at.code < wanted; });
  return row != std::end(kRows) && row->code == code ? row->meaning[index] : nullptr;
}

}  // namespace nt::ke

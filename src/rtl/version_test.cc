// Version, random numbers, comparison of memory.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

TEST(RtlVersion, GetVersion_FillsTheLongFormOnlyWhenItIsAsked) {
  RTL_OSVERSIONINFOEXW info;
  memset(&info, 0xEE, sizeof(info));
  info.dwOSVersionInfoSize = sizeof(RTL_OSVERSIONINFOW);
  EXPECT_EQ(GetVersion(reinterpret_cast<PRTL_OSVERSIONINFOW>(&info)), STATUS_SUCCESS);
  EXPECT_EQ(info.dwMajorVersion, 10u);
  EXPECT_EQ(info.wProductType, 0xEE);
  info.dwOSVersionInfoSize = sizeof(info);
  EXPECT_EQ(GetVersion(reinterpret_cast<PRTL_OSVERSIONINFOW>(&info)), STATUS_SUCCESS);
  EXPECT_EQ(info.wProductType, VER_NT_WORKSTATION);
}

Status AtLeast(ULONG major, ULONG minor, USHORT service_pack) {
  RTL_OSVERSIONINFOEXW wanted = {};
  wanted.dwMajorVersion = major;
  wanted.dwMinorVersion = minor;
  wanted.wServicePackMajor = service_pack;
  ULONGLONG mask = 0;
  for (ULONG type : {VER_MAJORVERSION, VER_MINORVERSION, VER_SERVICEPACKMAJOR})
    mask = SetConditionMask(mask, type, VER_GREATER_EQUAL);
  return VerifyVersionInfo(&wanted, VER_MAJORVERSION | VER_MINORVERSION | VER_SERVICEPACKMAJOR, mask);
}

TEST(RtlVersion, VerifyVersionInfo_ALaterFieldCountsOnlyAfterEqualOnes) {
  EXPECT_EQ(AtLeast(6, 1, 1), STATUS_SUCCESS);
  EXPECT_EQ(AtLeast(10, 0, 0), STATUS_SUCCESS);
  EXPECT_EQ(AtLeast(10, 0, 1), STATUS_REVISION_MISMATCH);
  EXPECT_EQ(AtLeast(10, 1, 0), STATUS_REVISION_MISMATCH);
  EXPECT_EQ(AtLeast(11, 0, 0), STATUS_REVISION_MISMATCH);
  RTL_OSVERSIONINFOEXW wanted = {};
  EXPECT_EQ(VerifyVersionInfo(&wanted, 0, 0), STATUS_INVALID_PARAMETER);
}

TEST(RtlVersion, IsNtDdiVersionAvailable) {
  EXPECT_TRUE(IsNtDdiVersionAvailable(NTDDI_VISTA));
  EXPECT_TRUE(IsNtDdiVersionAvailable(NTDDI_WIN8));
  EXPECT_FALSE(IsNtDdiVersionAvailable(NTDDI_VISTASP1));  // a service pack is another routine's question
  EXPECT_FALSE(IsNtDdiVersionAvailable(0x0B000000));
}

TEST(RtlRandom, StaysInRange_AndMoves) {
  ULONG seed = 0, first = RandomEx(&seed);
  bool moved = false;
  for (int i = 0; i < 10'000; ++i) {
    const ULONG value = i % 2 ? RandomEx(&seed) : Random(&seed);
    ASSERT_LT(value, 0x7FFFFFFFu);
    moved |= value != first;
  }
  EXPECT_TRUE(moved);
}

TEST(RtlMemory, CompareMemory_CountsTheEqualBytes) {
  for (size_t size = 0; size < 40; ++size) {
    std::vector<char> a(size, 'x'), b(size, 'x');
    EXPECT_EQ(CompareMemory(a.data(), b.data(), size), size);
    for (size_t at = 0; at < size; ++at) {
      b[at] = 'y';
      EXPECT_EQ(CompareMemory(a.data(), b.data(), size), at);
      b[at] = 'x';
    }
  }
  const ULONG words[] = {7, 7, 8};
  EXPECT_EQ(CompareMemoryUlong(words, sizeof(words), 7), 8u);
  EXPECT_EQ(CompareMemoryUlong(words, 7, 7), 4u);
}

TEST(RtlIntegers, ExtendedMagicDivide_DividesByAConstant) {
  // 10,000 as file systems divide times by it: magic 2^64 * 2^13 / 10,000, shift 13.
  LARGE_INTEGER dividend, magic;
  magic.QuadPart = static_cast<LONGLONG>(0xD1B71758E219652Cull);
  for (LONGLONG value : {0ll, 9'999ll, 10'000ll, 123'456'789'012ll, -123'456'789'012ll}) {
    dividend.QuadPart = value;
    EXPECT_EQ(RtlExtendedMagicDivide(dividend, magic, 13).QuadPart, value / 10'000);
  }
}

}  // namespace
}  // namespace nt::rtl

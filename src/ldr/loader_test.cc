// Loading: what binds, what is refused, and with which words.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "src/host/host.h"
#include "src/ldr/call.h"
#include "src/ldr/ldr.h"
#include "src/ldr/pe_image.h"
#include "src/ldr/test_exports.h"

namespace nt::ldr {
namespace {

using testing::HasSubstr;
using Case = long long(NTIO_MS_ABI*)();

Result<Image*> Load(const std::string& name, std::string* why, const LoadOptions& options = {}) {
  AddTestExports();
  return LoadImage(TestDriver(name), options, why);
}

void RunCases(const Image* image) {
  for (const Image::Export& row : image->exports) {
    if (row.name.rfind("case_", 0) != 0) continue;
    const auto* want = static_cast<const long long*>(image->FindExport(("want_" + row.name.substr(5)).c_str()));
    EXPECT_EQ(CallDriver(reinterpret_cast<Case>(image->FindExport(row.name.c_str()))), *want) << row.name;
  }
}

TEST(Loader, Plain_LoadsRunsUnloads) {
  std::string why;
  auto image = Load("plain", &why);
  ASSERT_TRUE(image.ok()) << why;
  EXPECT_EQ(image.value()->name, "plain.sys");
  EXPECT_NE(image.value()->base, image.value()->preferred_base);
  EXPECT_EQ(FindImage(image.value()->base + 100), image.value());
  EXPECT_EQ(FindImageByName("PLAIN.SYS"), image.value());
  RunCases(image.value());
  const uint64_t base = image.value()->base;
  UnloadImage(image.value());
  EXPECT_EQ(FindImage(base), nullptr);
}

TEST(Loader, SameImageTwice_IsTwoImages) {
  std::string why;
  auto first = Load("plain", &why);
  auto second = Load("plain", &why);
  ASSERT_TRUE(first.ok() && second.ok()) << why;
  EXPECT_NE(first.value()->base, second.value()->base);
  RunCases(first.value());
  RunCases(second.value());
  UnloadImage(first.value());
  RunCases(second.value());
  UnloadImage(second.value());
}

#if defined(__SANITIZE_ADDRESS__)
constexpr long kMayGrowKib = 1 << 20;  // the quarantine of AddressSanitizer grows
#elif defined(__has_feature)
constexpr long kMayGrowKib = __has_feature(address_sanitizer) ? 1 << 20 : 1024;
#else
constexpr long kMayGrowKib = 1024;  // 1 KiB a load
#endif

/// Memory of the process: resident, and the number of mappings.
struct Footprint {
  long resident_kib = 0, mappings = 0;
};
Footprint MeasureFootprint() {
  Footprint footprint;
  std::string line;
  for (std::ifstream status("/proc/self/status"); std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0) footprint.resident_kib = std::atol(line.c_str() + 6);
  for (std::ifstream maps("/proc/self/maps"); std::getline(maps, line);) footprint.mappings++;
  return footprint;
}

TEST(Loader, ThousandLoads_DoNotGrow) {
  std::string why;
  const auto load = [&](int times) {
    for (int i = 0; i < times; i++) {
      auto image = Load("plain", &why);
      ASSERT_TRUE(image.ok()) << why;
      UnloadImage(image.value());
    }
  };
  load(50);  // what is made once and kept
  const Footprint before = MeasureFootprint();
  load(1000);
  const Footprint after = MeasureFootprint();
  EXPECT_LE(after.mappings, before.mappings + 4);
  EXPECT_LT(after.resident_kib, before.resident_kib + kMayGrowKib);
}

TEST(Loader, SecurityCookie_IsSet) {
  std::string why;
  auto image = Load("cookie", &why);
  ASSERT_TRUE(image.ok()) << why;
  RunCases(image.value());
  UnloadImage(image.value());
}

TEST(Loader, MissingImports_AreAllNamed) {
  std::string why;
  auto image = Load("missing", &why);
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.status(), STATUS_PROCEDURE_NOT_FOUND);
  EXPECT_THAT(why, HasSubstr("missing.sys"));
  EXPECT_THAT(why, HasSubstr("2 imports are missing"));
  EXPECT_THAT(why, HasSubstr("ntoskrnl.exe!TestMissing"));
  EXPECT_THAT(why, HasSubstr("ntoskrnl.exe!TestMissingToo"));
}

TEST(Loader, LazyImports_OtherRoutinesWork) {
  std::string why;
  auto image = Load("missing", &why, {.lazy_imports = true, .name = {}});
  ASSERT_TRUE(image.ok()) << why;
  EXPECT_EQ(image.value()->missing_imports.size(), 2u);
  RunCases(image.value());
  UnloadImage(image.value());
}

TEST(Loader, LazyImports_VariableIsRefused) {
  // The name is one that NT exports as a variable; a thunk would hand out code as data.
  std::string why;
  auto image = Load("missing_data", &why, {.lazy_imports = true, .name = {}});
  ASSERT_FALSE(image.ok());
  EXPECT_THAT(why, HasSubstr("TmTransactionObjectType (a variable"));
}

void ReportMissing(const char* driver, const char* name) {
  std::fprintf(stderr, "missing: %s in %s\n", name, driver);
  std::_Exit(9);
}

TEST(LoaderDeathTest, LazyImports_CallNamesTheRoutine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::string why;
        SetMissingImportHook(ReportMissing);
        auto image = Load("missing", &why, {.lazy_imports = true, .name = {}});
        CallDriver(reinterpret_cast<int(NTIO_MS_ABI*)(int)>(image.value()->FindExport("call_missing")), 1);
      },
      testing::ExitedWithCode(9), "missing: ntoskrnl.exe!TestMissingToo in missing.sys");
}

TEST(Loader, DriverExports_SatisfyImports) {
  std::string why;
  auto refused = Load("importer", &why);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(why, HasSubstr("exporter.sys is not loaded"));
  auto exporter = Load("exporter", &why);
  ASSERT_TRUE(exporter.ok()) << why;
  auto importer = Load("importer", &why);
  ASSERT_TRUE(importer.ok()) << why;
  RunCases(importer.value());
  UnloadImage(importer.value());
  UnloadImage(exporter.value());
}

TEST(LoaderDeathTest, DiscardInit_MakesItInaccessible) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  std::string why;
  for (const char* name : {"plain", "init_rwx"}) {
    auto image = Load(name, &why);
    ASSERT_TRUE(image.ok()) << why;
    auto in_init = reinterpret_cast<int(NTIO_MS_ABI*)()>(image.value()->FindExport("in_init"));
    EXPECT_EQ(CallDriver(in_init), 77);
    if (std::string(name) == "init_rwx") {
      EXPECT_THAT(image.value()->warnings, testing::ElementsAre(HasSubstr("INIT")));
      ASSERT_EQ(image.value()->discardable.size(), 1u);
      DiscardInit(image.value());
      bool faulted = false;
      try {
        CallDriver(in_init);
      } catch (const SehException& exception) {
        faulted = exception.code() == STATUS_ACCESS_VIOLATION;
      }
      EXPECT_TRUE(faulted);
      RunCases(image.value());
    }
    UnloadImage(image.value());
  }
}

TEST(Loader, FindRoutine_RuntimeThenCrt) {
  EXPECT_NE(FindRoutine("ExRaiseStatus"), nullptr);
  EXPECT_NE(FindRoutine("wcslen"), nullptr);
  EXPECT_EQ(FindRoutine("NoSuchRoutine"), nullptr);
}

std::string RefusalOf(std::vector<std::byte> file) {
  AddTestExports();
  std::string why;
  auto image = LoadImageFromBytes("x.sys", file, {}, &why);
  EXPECT_FALSE(image.ok());
  return why;
}

std::vector<std::byte> Plain() {
  std::vector<std::byte> file;
  EXPECT_EQ(host::ReadFile(TestDriver("plain"), &file), 0);
  return file;
}

template <class T>
void Put(std::vector<std::byte>* file, size_t offset, T value) {
  std::memcpy(file->data() + offset, &value, sizeof value);
}

TEST(Loader, Refusals_SayWhatIsWrong) {
  const auto plain = Plain();
  uint32_t header;
  std::memcpy(&header, plain.data() + 0x3c, 4);
  EXPECT_THAT(RefusalOf({}), HasSubstr("not a PE image"));
  EXPECT_THAT(RefusalOf(std::vector<std::byte>(100, std::byte{'#'})), HasSubstr("not a PE image"));
  EXPECT_THAT(RefusalOf({plain.begin(), plain.begin() + header + 10}), HasSubstr("truncated"));
  EXPECT_THAT(RefusalOf({plain.begin(), plain.begin() + 1200}), HasSubstr("truncated: section"));
  auto file = plain;
  Put<uint16_t>(&file, header + 4, 0x14c);
  EXPECT_THAT(RefusalOf(file), HasSubstr("32-bit x86"));
  file = plain;
  Put<uint16_t>(&file, header + 24, 0x10b);
  EXPECT_THAT(RefusalOf(file), HasSubstr("PE32"));
  file = plain;
  Put<uint16_t>(&file, header + 24 + 68, 3);
  EXPECT_THAT(RefusalOf(file), HasSubstr("subsystem 3"));
  file = plain;
  Put<uint32_t>(&file, header + 24 + 32, 0x80);
  EXPECT_THAT(RefusalOf(file), HasSubstr("section alignment 0x80"));
  file = plain;
  Put<uint64_t>(&file, header + 24 + 112 + 9 * 8, 0x0000002800001000);
  EXPECT_THAT(RefusalOf(file), HasSubstr("thread-local storage"));
  std::string why;
  EXPECT_EQ(LoadImage("/nonexistent/x.sys", {}, &why).status(), STATUS_OBJECT_NAME_NOT_FOUND);
  EXPECT_THAT(why, HasSubstr("/nonexistent/x.sys"));
}

TEST(Loader, InspectImage_ReportsWithoutLoading) {
  AddTestExports();
  const ImageReport report = InspectImage(TestDriver("missing"));
  EXPECT_TRUE(report.well_formed);
  EXPECT_FALSE(report.loads);
  int absent = 0, present = 0;
  for (const ImportReport& row : report.imports) {
    absent += row.state == ImportReport::State::kAbsent;
    present += row.state == ImportReport::State::kPresent;
    if (row.name == "TestMissing") {
      EXPECT_EQ(row.reason, "not in the runtime");
    }
  }
  EXPECT_EQ(absent, 2);
  EXPECT_GT(present, 1);
  EXPECT_EQ(report.subsystem, 1);
  EXPECT_FALSE(report.sections.empty());
  EXPECT_TRUE(InspectImage(TestDriver("plain")).loads);
  const ImageReport partial = InspectImage(TestDriver("seh_low_level"));
  bool found = false;
  for (const ImportReport& row : partial.imports)
    if (row.name == "RtlVirtualUnwind") found = row.state == ImportReport::State::kPartial && !row.reason.empty();
  EXPECT_TRUE(found);
  const ImageReport none = InspectImage("/nonexistent/x.sys");
  EXPECT_FALSE(none.well_formed);
  EXPECT_THAT(none.why, HasSubstr("cannot be read"));
  const std::string loaded[] = {"EXPORTER.SYS"};
  EXPECT_FALSE(InspectImage(TestDriver("importer")).loads);
  EXPECT_TRUE(InspectImage(TestDriver("importer"), loaded).loads);
}

TEST(Loader, InspectImage_Details) {
  AddTestExports();
  const ImageReport cookie = InspectImage(TestDriver("cookie"));
  EXPECT_NE(cookie.details.cookie_rva, 0u);
  EXPECT_GT(cookie.details.relocation_count, 1u);
  EXPECT_GT(cookie.details.function_count, 5u);
  EXPECT_GE(cookie.details.linker_major, 14);
  EXPECT_GT(InspectImage(TestDriver("seh_cases_O1")).details.handler_count, 10u);
  const ImageReport exporter = InspectImage(TestDriver("exporter"));
  ASSERT_GE(exporter.exports.size(), 2u);
  for (const ExportReport& row : exporter.exports) {
    EXPECT_GT(row.ordinal, 0u) << row.name;
    EXPECT_GT(row.rva, 0u) << row.name;
    EXPECT_EQ(row.forward, "") << row.name;
  }
}

TEST(Loader, ImportByOrdinal_IsNamedAsMissing) {
  AddTestExports();
  auto file = Plain();
  std::string why;
  auto parsed = PeImage::Parse(file, &why);
  ASSERT_TRUE(parsed.ok()) << why;
  const auto offset_of = [&](uint32_t rva) -> size_t {
    for (const PeSection& section : parsed.value().sections)
      if (rva - section.rva < section.file_bytes) return section.file_offset + (rva - section.rva);
    return 0;
  };
  pe::ImportDescriptor descriptor;
  const size_t at = offset_of(parsed.value().directories[pe::kDirectoryImport].rva);
  ASSERT_NE(at, 0u);
  std::memcpy(&descriptor, file.data() + at, sizeof descriptor);
  Put<uint64_t>(&file, offset_of(descriptor.lookup_rva), pe::kOrdinalFlag | 17);
  EXPECT_THAT(RefusalOf(file), HasSubstr("ntoskrnl.exe!#17 (by ordinal"));
}

}  // namespace
}  // namespace nt::ldr

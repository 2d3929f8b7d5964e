// Damaged images: whatever the bytes, the loader answers. Every byte of the headers and of the tables it walks is changed, one
// at a time and in random handfuls, and the file is cut at every place; an image that still loads is unloaded.

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "src/host/host.h"
#include "src/ldr/ldr.h"
#include "src/ldr/test_exports.h"

namespace nt::ldr {
namespace {

std::vector<std::byte> ReadDriver(const char* name) {
  AddTestExports();
  std::vector<std::byte> file;
  EXPECT_EQ(host::ReadFile(TestDriver(name), &file), 0);
  // Without debug sections and symbols it is quicker, and every byte counts.
  return file;
}

int g_loaded, g_refused;

void Try(std::span<const std::byte> file) {
  std::string why;
  auto image = LoadImageFromBytes("mutated.sys", file, {.lazy_imports = true, .name = {}}, &why);
  if (image.ok()) {
    g_loaded++;
    UnloadImage(image.value());
  } else {
    g_refused++;
    EXPECT_FALSE(why.empty());
  }
}

TEST(Mutation, EveryHeaderByte) {
  auto file = ReadDriver("importer");
  const size_t headers = 0x400;
  for (size_t at = 0; at < headers; at++) {
    const std::byte old = file[at];
    for (unsigned value : {0x00u, 0x01u, 0x7fu, 0x80u, 0xffu, static_cast<unsigned>(old) ^ 0x10u}) {
      file[at] = static_cast<std::byte>(value);
      Try(file);
    }
    file[at] = old;
  }
  EXPECT_GT(g_refused, 100);
  EXPECT_GT(g_loaded, 100);
}

TEST(Mutation, EveryHeaderField) {
  auto file = ReadDriver("plain");
  for (size_t at = 0; at + 4 <= 0x400; at += 4) {
    uint32_t old;
    std::memcpy(&old, &file[at], 4);
    for (uint32_t value : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0xfffff000u, old + 1, old - 1, old * 2, old + 0x1000}) {
      std::memcpy(&file[at], &value, 4);
      Try(file);
    }
    std::memcpy(&file[at], &old, 4);
  }
}

TEST(Mutation, EveryCut) {
  auto file = ReadDriver("plain");
  for (size_t bytes = 0; bytes < file.size(); bytes += bytes < 0x600 ? 1 : 97) Try(std::span(file).first(bytes));
}

TEST(Mutation, TablesInSections) {
  // Import, export, exception and relocation tables lie in the sections: damage them everywhere.
  auto file = ReadDriver("importer");
  std::mt19937 random(12345);
  const size_t end = std::min<size_t>(file.size(), 0x6000);
  for (int round = 0; round < 6000; round++) {
    auto copy = file;
    const int changes = 1 + static_cast<int>(random() % 8);
    for (int i = 0; i < changes; i++) {
      const size_t at = 0x400 + random() % (end - 0x404);
      switch (random() % 3) {
        case 0:
          copy[at] = static_cast<std::byte>(random());
          break;
        case 1: {
          const uint32_t value = random() % 2 ? static_cast<uint32_t>(random()) : static_cast<uint32_t>(random() % 0x9000);
          std::memcpy(&copy[at & ~size_t{3}], &value, 4);
          break;
        }
        default: {
          const uint64_t value = random() % 2 ? ~0ull : 0;
          std::memcpy(&copy[at & ~size_t{7}], &value, 8);
          break;
        }
      }
    }
    Try(copy);
  }
}

}  // namespace
}  // namespace nt::ldr

// Directory change notification: waiting, buffering, overflow, trees, clean-up.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "src/ex/ex.h"
#include "src/fsrtl/fsrtl.h"
#include "src/fsrtl/test_irp.h"
#include "src/machine/test_machine.h"
#include "src/rtl/rtl.h"

namespace nt::fsrtl {
namespace {

STRING Bytes(std::u16string_view text) {
  STRING string;
  string.Buffer = reinterpret_cast<char*>(const_cast<char16_t*>(text.data()));
  string.Length = string.MaximumLength = static_cast<USHORT>(text.size() * sizeof(char16_t));
  return string;
}

class NotifyTest : public machine::TestMachine {
 protected:
  void SetUp() override {
    TestMachine::SetUp();
    InitializeListHead(&list_);
    NotifyInitializeSync(&sync_);
  }
  void TearDown() override {
    NotifyCleanupAll(sync_, &list_);
    EXPECT_TRUE(IsListEmpty(&list_));
    NotifyUninitializeSync(&sync_);
    irps_.clear();
    TestMachine::TearDown();
  }
  TestIrp& Watch(std::u16string_view directory, bool tree = false, ULONG length = 256,
                 ULONG filter = FILE_NOTIFY_CHANGE_FILE_NAME, void* context = nullptr) {
    irps_.push_back(std::make_unique<TestIrp>(IRP_MJ_DIRECTORY_CONTROL, &file_, IRP_MN_NOTIFY_CHANGE_DIRECTORY));
    TestIrp& irp = *irps_.back();
    buffers_.push_back(std::make_unique<std::vector<char>>(length + 1));
    irp.get()->AssociatedIrp.SystemBuffer = buffers_.back()->data();
    irp.location()->Parameters.NotifyDirectory.Length = length;
    STRING name = Bytes(directory);
    NotifyFilterChangeDirectory(sync_, &list_, context ? context : this, &name, tree, false, filter, irp.get(), nullptr,
                                nullptr, nullptr);
    return irp;
  }
  void Report(std::u16string_view target, ULONG action, ULONG filter = FILE_NOTIFY_CHANGE_FILE_NAME) {
    STRING name = Bytes(target);
    const auto offset = static_cast<USHORT>((target.rfind(u'\\') + 1) * sizeof(char16_t));
    NotifyFilterReportChange(sync_, &list_, &name, offset, nullptr, nullptr, filter, action, nullptr, nullptr);
  }
  static std::vector<std::pair<ULONG, std::u16string>> Changes(TestIrp& irp) {
    std::vector<std::pair<ULONG, std::u16string>> changes;
    const char* at = static_cast<const char*>(irp.get()->AssociatedIrp.SystemBuffer);
    if (irp.information() == 0) return changes;
    for (;;) {
      const auto* info = reinterpret_cast<const FILE_NOTIFY_INFORMATION*>(at);
      changes.emplace_back(info->Action, std::u16string(reinterpret_cast<const char16_t*>(info->FileName),
                                                        info->FileNameLength / sizeof(char16_t)));
      EXPECT_EQ(info->NextEntryOffset % 4, 0u);
      if (info->NextEntryOffset == 0) return changes;
      at += info->NextEntryOffset;
    }
  }
  using List = std::vector<std::pair<ULONG, std::u16string>>;

  FILE_OBJECT file_{};
  LIST_ENTRY list_{};
  PNOTIFY_SYNC sync_ = nullptr;
  std::vector<std::unique_ptr<TestIrp>> irps_;
  std::vector<std::unique_ptr<std::vector<char>>> buffers_;
};

TEST_F(NotifyTest, Change_EndsTheWait_OfItsDirectoryOnly) {
  TestIrp& here = Watch(u"\\dir");
  int other;
  TestIrp& elsewhere = Watch(u"\\di", false, 256, FILE_NOTIFY_CHANGE_FILE_NAME, &other);
  EXPECT_FALSE(here.completed());
  Report(u"\\dir\\a.txt", FILE_ACTION_ADDED, FILE_NOTIFY_CHANGE_SIZE);
  EXPECT_FALSE(here.completed()) << "the filter does not match";
  Report(u"\\dir\\sub\\a.txt", FILE_ACTION_ADDED);
  EXPECT_FALSE(here.completed()) << "no tree";
  Report(u"\\dir\\a.txt", FILE_ACTION_ADDED);
  ASSERT_TRUE(here.completed());
  EXPECT_EQ(here.status(), STATUS_SUCCESS);
  EXPECT_EQ(Changes(here), (List{{FILE_ACTION_ADDED, u"a.txt"}}));
  EXPECT_FALSE(elsewhere.completed());
}

TEST_F(NotifyTest, ChangesBetweenCalls_AreBuffered) {
  Watch(u"\\dir");
  Report(u"\\dir\\a", FILE_ACTION_ADDED);
  Report(u"\\dir\\bcd", FILE_ACTION_MODIFIED);
  Report(u"\\dir\\e", FILE_ACTION_REMOVED);
  TestIrp& next = Watch(u"\\dir");
  ASSERT_TRUE(next.completed());
  EXPECT_EQ(Changes(next), (List{{FILE_ACTION_MODIFIED, u"bcd"}, {FILE_ACTION_REMOVED, u"e"}}));
}

TEST_F(NotifyTest, Overflow_IsEnumDirWithoutBytes) {
  Watch(u"\\dir", false, 40);
  Report(u"\\dir\\a", FILE_ACTION_ADDED);
  for (int i = 0; i < 4; i++) Report(u"\\dir\\longer name", FILE_ACTION_ADDED);
  TestIrp& next = Watch(u"\\dir", false, 40);
  ASSERT_TRUE(next.completed());
  EXPECT_EQ(next.status(), STATUS_NOTIFY_ENUM_DIR);
  EXPECT_EQ(next.information(), 0u);
  TestIrp& after = Watch(u"\\dir", false, 40);
  EXPECT_FALSE(after.completed()) << "what overflowed is forgotten";
}

TEST_F(NotifyTest, Rename_ComesAsAPair) {
  TestIrp& irp = Watch(u"\\");
  Report(u"\\old", FILE_ACTION_RENAMED_OLD_NAME);
  EXPECT_FALSE(irp.completed());
  Report(u"\\new", FILE_ACTION_RENAMED_NEW_NAME);
  ASSERT_TRUE(irp.completed());
  EXPECT_EQ(Changes(irp), (List{{FILE_ACTION_RENAMED_OLD_NAME, u"old"}, {FILE_ACTION_RENAMED_NEW_NAME, u"new"}}));
}

TEST_F(NotifyTest, Tree_NamesRelativeToTheWatchedDirectory) {
  TestIrp& irp = Watch(u"\\dir", true);
  Report(u"\\directory\\a", FILE_ACTION_ADDED);
  EXPECT_FALSE(irp.completed());
  Report(u"\\dir\\x\\y\\a", FILE_ACTION_ADDED);
  ASSERT_TRUE(irp.completed());
  EXPECT_EQ(Changes(irp), (List{{FILE_ACTION_ADDED, u"x\\y\\a"}}));
  int root_context;
  TestIrp& root = Watch(u"\\", true, 256, FILE_NOTIFY_CHANGE_FILE_NAME, &root_context);
  Report(u"\\q\\a", FILE_ACTION_ADDED);
  ASSERT_TRUE(root.completed());
  EXPECT_EQ(Changes(root), (List{{FILE_ACTION_ADDED, u"q\\a"}}));
}

TEST_F(NotifyTest, Cleanup_Delete_Cancel_EndTheWait) {
  TestIrp& cancelled = Watch(u"\\dir");
  EXPECT_TRUE(io::CancelIrp(cancelled.get()));
  EXPECT_EQ(cancelled.status(), STATUS_CANCELLED);
  int stream;
  file_.FsContext = &stream;
  int context2;
  TestIrp& deleted = Watch(u"\\dir2", false, 256, FILE_NOTIFY_CHANGE_FILE_NAME, &context2);
  NotifyFilterChangeDirectory(sync_, &list_, &stream, nullptr, false, false, 0, nullptr, nullptr, nullptr, nullptr);
  EXPECT_EQ(deleted.status(), STATUS_DELETE_PENDING);
  TestIrp& cleaned = Watch(u"\\dir");
  NotifyCleanup(sync_, &list_, this);
  EXPECT_EQ(cleaned.status(), STATUS_NOTIFY_CLEANUP);
  file_.Flags |= FO_CLEANUP_COMPLETE;
  TestIrp& late = Watch(u"\\dir");
  EXPECT_EQ(late.status(), STATUS_NOTIFY_CLEANUP);
}

TEST_F(NotifyTest, FilterOfNothing_IsInvalid) {
  TestIrp& irp = Watch(u"\\dir", false, 256, 0);
  EXPECT_EQ(irp.status(), STATUS_INVALID_PARAMETER);
}

}  // namespace
}  // namespace nt::fsrtl

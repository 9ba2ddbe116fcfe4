//===- FileTransactionTest.cpp - Several files or none --------------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#include "qopt/Support/FileTransaction.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include <gtest/gtest.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

using namespace qopt;
namespace fs = llvm::sys::fs;

namespace {
/// A folder with a file `a` of before, and one named as a file to come.
class FileTransactionTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(fs::createUniqueDirectory("qopt", folder));
    ASSERT_TRUE(writeFile(folder + "/a", "old").ok());
    ASSERT_FALSE(fs::create_directory(folder + "/z"));
  }
  void TearDown() override { fs::remove_directories(folder); }

  std::map<std::string, std::string> read() const {
    std::map<std::string, std::string> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; it != end && !error;
         it.increment(error)) {
      llvm::StringRef name =
          llvm::StringRef(it->path()).drop_front(folder.size() + 1);
      files[name.str()] =
          fs::is_directory(it->path()) ? "folder" : *readFile(it->path());
    }
    return files;
  }
  using Files = std::map<std::string, std::string>;
  llvm::SmallString<128> folder;
};
} // namespace

TEST_F(FileTransactionTest, NothingIsThereBeforeCommit) {
  {
    FileTransaction transaction;
    ASSERT_TRUE(transaction.add(folder + "/a", "new").ok());
    EXPECT_EQ(read()["a"], "old");
  }
  EXPECT_EQ(read(), (Files{{"a", "old"}, {"z", "folder"}}));
}

TEST_F(FileTransactionTest, AFailureLeavesWhatWasThere) {
  {
    FileTransaction transaction;
    ASSERT_TRUE(transaction.add(folder + "/a", "new").ok());
    ASSERT_TRUE(transaction.add(folder + "/b", "new").ok());
    ASSERT_TRUE(transaction.add(folder + "/z", "new").ok());
    EXPECT_FALSE(transaction.commit().ok());
  }
  EXPECT_EQ(read(), (Files{{"a", "old"}, {"z", "folder"}}));
}

TEST_F(FileTransactionTest, WhatIsNotKeptGoesBack) {
  ASSERT_EQ(::symlink("nowhere", (folder + "/l").str().c_str()), 0);
  {
    FileTransaction transaction;
    for (const char *name : {"/a", "/b", "/l"})
      ASSERT_TRUE(transaction.add(folder + name, "new").ok());
    ASSERT_TRUE(transaction.commit().ok());
    EXPECT_EQ(*readFile(folder + "/a"), "new");
    EXPECT_EQ(*readFile(folder + "/b"), "new");
  }
  EXPECT_TRUE(fs::is_symlink_file(folder + "/l"));
  fs::remove(folder + "/l");
  EXPECT_EQ(read(), (Files{{"a", "old"}, {"z", "folder"}}));
}

TEST_F(FileTransactionTest, WhatIsKeptStays) {
  {
    FileTransaction transaction;
    ASSERT_TRUE(transaction.add(folder + "/a", "new", true).ok());
    ASSERT_TRUE(transaction.add(folder + "/deep/b", "new").ok());
    ASSERT_TRUE(transaction.commit().ok());
    transaction.keep();
  }
  EXPECT_EQ(read(), (Files{{"a", "new"}, {"deep", "folder"}, {"z", "folder"}}));
  EXPECT_TRUE(fs::can_execute(folder + "/a"));
}

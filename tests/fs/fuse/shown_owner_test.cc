// The attributes that a mount with uid, gid or umask shows, and those that it stores.

#include "fs/fuse/shown_owner.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace kvfs::fs {
namespace {

Attributes Stored(uint32_t mode) {
  Attributes stored;
  stored.mode = mode;
  stored.uid = 5;
  stored.gid = 6;
  return stored;
}

Attributes Shown(const ShownOwner& shown, uint32_t mode) {
  Attributes attributes = Stored(mode);
  shown.Show(attributes);
  return attributes;
}

TEST(ShownOwner, WithoutOptionsShowsWhatIsStored) {
  const ShownOwner none;
  EXPECT_FALSE(none.IsAny());
  EXPECT_EQ(Shown(none, S_IFREG | 04751), Stored(S_IFREG | 04751));
  EXPECT_EQ(none.Storable(06755), 06755u);
}

TEST(ShownOwner, EachIdStandsForItself) {
  const Attributes as_user = Shown({.uid = 1000}, S_IFREG | 0640);
  EXPECT_EQ(as_user.uid, 1000u);
  EXPECT_EQ(as_user.gid, 6u);
  EXPECT_EQ(as_user.mode, uint32_t{S_IFREG | 0640});
  EXPECT_EQ(Shown({.gid = 0}, S_IFREG | 0640).gid, 0u);
  EXPECT_EQ(Shown({.gid = 0}, S_IFREG | 0640).uid, 5u);
}

TEST(ShownOwner, UmaskGivesAllPermissionsButItsOwn) {
  EXPECT_EQ(Shown({.umask = 027}, S_IFREG | 0600).mode, uint32_t{S_IFREG | 0750});
  EXPECT_EQ(Shown({.umask = 0}, S_IFDIR | 01700).mode, uint32_t{S_IFDIR | 0777});
  EXPECT_EQ(Shown({.umask = 0777}, S_IFREG | 0644).mode, uint32_t{S_IFREG});
}

TEST(ShownOwner, ASymbolicLinkKeepsItsPermissions) {
  EXPECT_EQ(Shown({.umask = 077}, S_IFLNK | 0777).mode, uint32_t{S_IFLNK | 0777});
}

TEST(ShownOwner, SetuidIsNeitherShownNorStored) {
  for (const ShownOwner& shown :
       {ShownOwner{.uid = 1}, ShownOwner{.gid = 1}, ShownOwner{.umask = 022}}) {
    EXPECT_EQ(Shown(shown, S_IFREG | 06755).mode & 07000, 0u);
    EXPECT_EQ(shown.Storable(S_IFREG | 06751), uint32_t{S_IFREG | 0751});
    EXPECT_EQ(shown.Storable(01777), 01777u);
  }
}

TEST(ShownOwner, WhatIsNewBelongsToTheShownOwner) {
  const Caller creator = ShownOwner{.uid = 1000}.Creator({7, 8, 022});
  EXPECT_EQ(creator.uid, 1000u);
  EXPECT_EQ(creator.gid, 8u);
  EXPECT_EQ(creator.umask, 022u);
}

}  // namespace
}  // namespace kvfs::fs

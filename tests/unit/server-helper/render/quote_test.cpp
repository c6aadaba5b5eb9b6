#include "server-helper/render/quote.hpp"

#include <gtest/gtest.h>

namespace diskless::server {
namespace {

TEST(Quote, GrubGetsArgumentsThatReachTheKernelAsWritten) {
    EXPECT_EQ(grub_arguments("root=/dev/nfs ro"), "root=/dev/nfs ro");
    EXPECT_EQ(grub_arguments("a=\"b c\" d"), "'a=b c' d") << "GRUB puts the double quotes itself";
    EXPECT_EQ(grub_arguments("a=$HOME;reboot"), "'a=$HOME;reboot'");
    EXPECT_EQ(grub_arguments("a={b}"), "'a={b}'");
    EXPECT_EQ(grub_arguments("  a   b "), "a b");
    EXPECT_EQ(grub_arguments(""), "");
}

TEST(Quote, GrubRefusesWhatItWouldChange) {
    EXPECT_FALSE(grub_arguments("ip=::'off'"));
    EXPECT_FALSE(grub_arguments("a=\\b"));
    EXPECT_FALSE(grub_arguments("a\n}\nreboot"));
    EXPECT_FALSE(grub_arguments("a=\"b"));
}

TEST(Quote, GrubTitlesKeepTheirQuotes) {
    EXPECT_EQ(grub_quoted("a'b"), "'a'\\''b'");
    EXPECT_EQ(grub_quoted("$(x)"), "'$(x)'");
}

TEST(Quote, IpxeRefusesSettingsCommentsAndOperators) {
    EXPECT_EQ(ipxe_arguments("root=/dev/nfs a=\"b c\" x#y a||b"), "root=/dev/nfs a=\"b c\" x#y a||b");
    for (const char* bad : {"a=${net0/mac}", "#a", "a || b", "a && b", "a ; b", "a=\"b  c\"", "a\nshell", "a\rb"})
        EXPECT_FALSE(ipxe_arguments(bad)) << bad;
}

TEST(Quote, CommandLinesThatKernelsDoNotTake) {
    EXPECT_TRUE(check_command_line(std::string(2047, 'a')));
    EXPECT_FALSE(check_command_line(std::string(2048, 'a')));
    EXPECT_FALSE(check_command_line("a\nb"));
    EXPECT_FALSE(check_command_line(std::string_view("a\0b", 3)));
    EXPECT_FALSE(check_command_line("a=\"b c"));
}

TEST(Quote, KernelWordsKeepBlanksInQuotes) {
    const std::vector<std::string_view> wanted{"a=\"b c\"", "d"};
    EXPECT_EQ(kernel_words(" a=\"b c\"  d "), wanted);
}

TEST(Quote, BootFilesStayBelowTheTftpRoot) {
    for (const char* good : {"vmlinuz", "debian/vmlinuz-6.1.0-31+b1", "a/.b/c~d"})
        EXPECT_TRUE(check_boot_file("kernel", good)) << good;
    for (const char* bad : {"", "/vmlinuz", "../vmlinuz", "a/../b", "a//b", "a/./b", "a/", "a b", "a,b", "a$b", "a\nb",
                            "\xc3\xa4", "a'b", "a;b"})
        EXPECT_FALSE(check_boot_file("kernel", bad)) << bad;
}

TEST(Quote, ExportsPathsUseOctalForWhatIsNotPlain) {
    EXPECT_EQ(exports_path("/srv/a-b_c.d"), "/srv/a-b_c.d");
    EXPECT_EQ(exports_path("/a b"), "/a\\040b");
    EXPECT_EQ(exports_path("/a\"#\\(\n"), "/a\\042\\043\\134\\050\\012");
    EXPECT_EQ(exports_path("/\xc3\xa4"), "/\\303\\244");
}

TEST(Quote, OtherDialects) {
    EXPECT_EQ(double_quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(yaml_quoted("it's: #1"), "'it''s: #1'");
    EXPECT_EQ(systemd_word("/a/b"), "/a/b");
    EXPECT_EQ(systemd_word("/a b%n$X\"\\"), "\"/a b%%n$$X\\\"\\\\\"");
    EXPECT_EQ(quoted_without_escapes("path", "/a b"), "\"/a b\"");
    EXPECT_FALSE(quoted_without_escapes("path", "/a\"b"));
    EXPECT_FALSE(quoted_without_escapes("path", "/a\nb"));
}

}  // namespace
}  // namespace diskless::server

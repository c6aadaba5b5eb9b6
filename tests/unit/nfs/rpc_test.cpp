#include "common/nfs/rpc.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/packets.hpp"

namespace diskless {
namespace {

using test::hex;

constexpr std::uint32_t kXid = 0xCAFE0001;

/// A reply in one fragment, its words in hexadecimal after xid and direction.
std::string reply(const char* words, std::uint32_t xid = kXid) {
    ByteWriter body;
    body.u32(xid);
    body.bytes(hex(words));
    const auto text = body.take();
    ByteWriter out;
    out.u32(0x80000000U | static_cast<std::uint32_t>(text.size()));
    out.bytes(text);
    return out.take();
}

TEST(RpcCall, IsWhatRfc5531Says) {
    EXPECT_EQ(
        build_rpc_null_call(kXid, kNfsProgram, 4),
        hex("80000028 cafe0001 00000000 00000002 000186a3 00000004 00000000 00000000 00000000 00000000 00000000"));
}

TEST(RpcReply, EveryOutcomeHasItsName) {
    struct Case {
        const char* words;
        RpcStatus status;
        std::uint32_t lowest, highest;
        const char* text;
    };
    const Case cases[] = {
        {"00000001 00000000 00000000 00000000 00000000", RpcStatus::success, 0, 0, "NFS server answers"},
        {"00000001 00000000 00000000 00000000 00000001", RpcStatus::program_unavailable, 0, 0,
         "no NFS service behind this port"},
        {"00000001 00000000 00000000 00000000 00000002 00000003 00000004", RpcStatus::version_mismatch, 3, 4,
         "server has NFS versions 3 to 4 only"},
        {"00000001 00000000 00000000 00000000 00000002 00000004 00000004", RpcStatus::version_mismatch, 4, 4,
         "server has NFS version 4 only"},
        {"00000001 00000000 00000000 00000000 00000003", RpcStatus::procedure_unavailable, 0, 0,
         "server does not understand an empty NFS call"},
        {"00000001 00000000 00000000 00000000 00000005", RpcStatus::system_error, 0, 0,
         "NFS server answers with an internal error"},
        {"00000001 00000001 00000000 00000002 00000002", RpcStatus::rpc_mismatch, 2, 2,
         "server speaks RPC versions 2 to 2 only"},
        {"00000001 00000001 00000001 00000007", RpcStatus::not_authorised, 0, 0, "server denies the call (reason 7)"},
        // a verifier of five bytes, padded to eight
        {"00000001 00000000 00000001 00000005 6162636465000000 00000000", RpcStatus::success, 0, 0,
         "NFS server answers"},
    };
    for (const auto& c : cases) {
        const auto parsed = parse_rpc_reply(reply(c.words), kXid);
        ASSERT_TRUE(parsed) << c.text << ": " << parsed.error().cause;
        EXPECT_EQ(parsed->status, c.status) << c.text;
        EXPECT_EQ(parsed->lowest, c.lowest) << c.text;
        EXPECT_EQ(parsed->highest, c.highest) << c.text;
        EXPECT_EQ(describe(*parsed), c.text);
    }
}

TEST(RpcReply, FragmentsArePutTogether) {
    const auto fragments =
        hex("00000008 cafe0001 00000001  00000000  8000000c") + hex("00000000") + hex("00000000 00000000");
    EXPECT_FALSE(parse_rpc_reply(fragments, kXid)) << "the last word is missing";
    const auto whole = hex("00000008 cafe0001 00000001  00000000  80000010 00000000 00000000 00000000 00000000");
    EXPECT_TRUE(parse_rpc_reply(whole, kXid));
}

TEST(RpcReply, AnIncompleteRecordSaysSo) {
    const auto whole = reply("00000001 00000000 00000000 00000000 00000000");
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(parse_rpc_reply(whole.substr(0, size), kXid).error().code, EAGAIN) << size;
    EXPECT_TRUE(parse_rpc_reply(whole + "rest", kXid));
}

TEST(RpcReply, RefusesWhatIsNoAnswer) {
    EXPECT_FALSE(parse_rpc_reply(reply("00000001 00000000 00000000 00000000 00000000", kXid + 1), kXid));
    for (const auto* bad : {
             "", "00000000", "00000001", "00000000 00000000 00000000 00000000 00000000",  // a call
             "00000001 00000002 00000000",                                                // outcome
             "00000001 00000000 00000000 00000000 00000006",                              // status
             "00000001 00000000 00000000 00000000 00000002 00000003",                     // no highest
             "00000001 00000000 00000000 00000000 00000002 00000004 00000003",            // upside down
             "00000001 00000000 00000000 00000004 00000000",                              // verifier beyond the end
             "00000001 00000000 00000000 ffffffff 00000000",                              // huge verifier
             "00000001 00000001 00000002 00000000",                                       // unknown denial
             "00000001 00000001 00000000 00000002",                                       // half a denial
         }) {
        const auto parsed = parse_rpc_reply(reply(bad), kXid);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_EQ(parsed.error().code, 0) << bad;
    }
    EXPECT_EQ(parse_rpc_reply(hex("ffffffff"), kXid).error().code, 0) << "a record of 2 GiB is not waited for";
    EXPECT_EQ(parse_rpc_reply("HTTP/1.1 400 Bad Request\r\n", kXid).error().code, 0);
}

TEST(RpcReply, EmptyFragmentsEnd) {
    std::string bytes;
    for (int i = 0; i < 10000; ++i) bytes += hex("00000000");
    EXPECT_FALSE(parse_rpc_reply(bytes, kXid));
}

}  // namespace
}  // namespace diskless

#include <gtest/gtest.h>

#include <fstream>

#include "common/image/lean_module.hpp"
#include "initramfs/host_files.hpp"
#include "initramfs/module_file.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

/// An object with sections of a kernel module's names, as the compiler makes it.
std::string object_with(const std::string& assembler) {
    const TemporaryDirectory directory;
    std::ofstream(directory.path + "/module.s") << assembler;
    EXPECT_EQ(std::system(("as -o " + directory.path + "/module.o " + directory.path + "/module.s").c_str()), 0);
    return *read_input_file(directory.path + "/module.o");
}

TEST(StripModule, TakesTraceEventsAndUnwindTablesAndLeavesTheRest) {
    const auto stripped = strip_module(object_with(R"(
        .text
        .globl work
        work: ret
        .section _ftrace_events,"aw"; .quad work
        .section _ftrace_eval_map,"aw"; .quad work
        .section .orc_unwind,"a"; .long 1
        .section .orc_unwind_ip,"a"; .long work - .
        .section .modinfo,"a"; .asciz "name=work"
    )"));
    ASSERT_TRUE(stripped) << stripped.error().cause;
    for (const char* section : {"_ftrace_events", ".rela_ftrace_events", "_ftrace_eval_map", ".orc_unwind",
                                ".orc_unwind_ip", ".rela.orc_unwind_ip"})
        EXPECT_FALSE(has_section(*stripped, section)) << section;
    for (const char* section : {".text", ".modinfo"}) EXPECT_TRUE(has_section(*stripped, section));
}

TEST(StripModule, LeavesWhatOtherSectionsReferTo) {
    const auto stripped = strip_module(object_with(R"(
        .section _ftrace_events,"aw"
        .globl event
        event: .quad 1
        .data
        .quad event
        .section .modinfo,"a"; .asciz "name=work"
    )"));
    ASSERT_TRUE(stripped) << stripped.error().cause;
    EXPECT_TRUE(has_section(*stripped, "_ftrace_events"));
}

constexpr const char* kTraced = R"(
        .text
        .globl work
        work: ret
        .section _ftrace_events,"aw"; .quad work
        .section .orc_unwind,"a"; .long 1
        .section .BTF,""; .long 1
        .section .modinfo,"a"; .asciz "name=work"
    )";

/// As sign-file of the kernel appends it: PKCS#7 data, struct module_signature, a mark.
std::string signature(std::uint32_t bytes) {
    std::string structure(12, '\0');
    structure[2] = 2;  // PKEY_ID_PKCS7
    for (int i = 0; i < 4; ++i) structure[8 + i] = static_cast<char>(bytes >> (24 - 8 * i));
    return std::string(std::min(bytes, 700U), 's') + structure + "~Module signature appended~\n";
}

TEST(LeanForm, HidesTraceEventsAndUnwindTablesAndLeavesTheSignatureOut) {
    const auto object = object_with(kTraced);
    const auto lean = lean_form(object + signature(700));
    EXPECT_EQ(lean.bytes, object.size());
    EXPECT_EQ(lean.sections.size(), 3U);
    auto hidden = object;
    EXPECT_TRUE(make_lean(hidden, lean));
    for (const char* section : {"_ftrace_events", ".orc_unwind", ".BTF"}) {
        EXPECT_TRUE(has_section(object, section)) << section;
        EXPECT_FALSE(has_section(hidden, section)) << section;
    }
    for (const char* section : {".text", ".modinfo"}) EXPECT_TRUE(has_section(hidden, section)) << section;
}

TEST(LeanForm, AnUnsignedModuleHasOneToo) {
    const auto object = object_with(kTraced);
    EXPECT_EQ(lean_form(object).bytes, object.size());
    EXPECT_EQ(lean_form(object).sections, lean_form(object + signature(700)).sections);
}

TEST(LeanForm, IsAbsentWhereThereIsNothingToLeaveOut) {
    EXPECT_EQ(lean_form(object_with(".section .modinfo,\"a\"; .asciz \"name=work\"")), LeanForm{});
    EXPECT_EQ(lean_form(""), LeanForm{});
    EXPECT_EQ(lean_form("no object" + signature(3)), LeanForm{});
    EXPECT_EQ(lean_form(object_with(kTraced).substr(0, 300)), LeanForm{}) << "cut short";
}

TEST(LeanForm, ASignatureThatCannotBeIsKept) {
    const auto object = object_with(kTraced);
    const auto longer_than_the_file = object + signature(0x7fffffff);
    EXPECT_EQ(lean_form(longer_than_the_file).bytes, longer_than_the_file.size());
}

/// Two functions as GCC makes them with -mfentry, and the list of their calls; `again` and `data` are no calls of it.
constexpr const char* kFunctions = R"(
        .text
        one: call __fentry__
        ret
        again: call other
        jmp __fentry__
        .section .init.text,"ax"
        two: call __fentry__
        ret
        .section __mcount_loc,"a"; .quad one, two
        .data
        data: .long __fentry__ - .
        .section .modinfo,"a"; .asciz "name=work"
    )";

/// What the disassembler says of all code and its relocations.
std::string disassembled(const std::string& object) {
    const TemporaryDirectory directory;
    const auto path = directory.path + "/module.o";
    EXPECT_TRUE(write_output_file(path, object));
    const auto command = "objdump -dr --no-show-raw-insn " + path + " | tail -n +4 >" + path + ".txt";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return *read_input_file(path + ".txt");
}

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
    return found;
}

TEST(TracerCalls, BecomeNopsWithoutRelocation) {
    const auto object = object_with(kFunctions);
    auto lean = object;
    EXPECT_EQ(take_out_tracer_calls(lean, tracer_symbol(object)), 2U);
    const auto before = disassembled(object), after = disassembled(lean);
    EXPECT_EQ(count(before, "R_X86_64_PLT32\t__fentry__"), 3U) << before;
    EXPECT_EQ(count(after, "R_X86_64_PLT32\t__fentry__"), 1U) << "a jump is no call\n" << after;
    EXPECT_EQ(count(after, "nopl   0x0(%rax,%rax,1)"), 2U) << after;
    EXPECT_EQ(count(after, "R_X86_64_NONE"), 2U) << after;
    EXPECT_EQ(count(after, "R_X86_64_PLT32\tother"), 1U) << after;
    EXPECT_EQ(take_out_tracer_calls(lean, tracer_symbol(object)), 0U) << "once";
}

TEST(TracerCalls, GoWithTheListOfThemInTheLeanForm) {
    const auto object = object_with(kFunctions);
    const auto form = lean_form(object + signature(700));
    EXPECT_EQ(form.tracer, tracer_symbol(object));
    EXPECT_NE(form.tracer, 0U);
    auto lean = object;
    ASSERT_TRUE(make_lean(lean, form));
    EXPECT_FALSE(has_section(lean, "__mcount_loc"));
    EXPECT_EQ(count(disassembled(lean), "nopl"), 2U);
}

TEST(TracerCalls, AreStrippedFromAStrippedModule) {
    const auto stripped = strip_module(object_with(kFunctions));
    ASSERT_TRUE(stripped) << stripped.error().cause;
    EXPECT_FALSE(has_section(*stripped, "__mcount_loc"));
    EXPECT_EQ(count(disassembled(*stripped), "nopl"), 2U);
    EXPECT_EQ(lean_form(*stripped).sections, LeanForm{}.sections) << "nothing is left for the node to do";
}

TEST(TracerCalls, StayWhereTheKernelMustTakeThemOut) {
    auto other = object_with(kFunctions);
    other[18] = 40;  // e_machine: ARM; elf.h
    EXPECT_EQ(tracer_symbol(other), 0U);
    EXPECT_TRUE(lean_form(other).sections.empty()) << "__mcount_loc is seen";
    const auto before = other;
    EXPECT_EQ(take_out_tracer_calls(other, 1), 0U);
    EXPECT_EQ(other, before);
}

TEST(TracerCalls, AKernelWithoutTheTracerHasNone) {
    const auto object = object_with(kTraced);
    EXPECT_EQ(tracer_symbol(object), 0U);
    EXPECT_EQ(lean_form(object).tracer, 0U);
}

TEST(MakeLean, AFormOfAnotherObjectIsRefusedAndNothingOutsideIsTouched) {
    const auto object = object_with(kFunctions);
    for (const std::uint64_t offset : {object.size() - 15, object.size(), ~std::uint64_t{0}}) {
        auto changed = object;
        EXPECT_FALSE(make_lean(changed, {object.size(), {offset}, 0}));
        EXPECT_EQ(changed, object);
    }
    std::string nothing;
    EXPECT_FALSE(make_lean(nothing, {1, {0}, 1}));
    EXPECT_EQ(take_out_tracer_calls(nothing, 1), 0U);
}

TEST(MakeLean, AnObjectThatIsCutShortAnywhereDoesNoHarm) {
    const auto object = object_with(kFunctions);
    const auto form = lean_form(object);
    for (std::size_t size = 0; size < object.size(); ++size) {
        auto cut = object.substr(0, size);
        (void)make_lean(cut, form);
        EXPECT_EQ(cut.size(), size);
    }
}

}  // namespace
}  // namespace diskless

#include <fmt/core.h>
#include <zstd.h>

#include <memory>

#include "initramfs/cpio.hpp"

namespace diskless {

namespace {
constexpr int kWindowLog = 23;  // 8 MiB: the kernel keeps the whole window in memory while it unpacks
}

Result<std::string> compress(std::string_view bytes, int level) {
    const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kWindowLog);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 0);
    std::string text(ZSTD_compressBound(bytes.size()), '\0');
    const auto size = ZSTD_compress2(context.get(), text.data(), text.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(size)) return fail(fmt::format("compress the image: {}", ZSTD_getErrorName(size)));
    text.resize(size);
    return text;
}

}  // namespace diskless

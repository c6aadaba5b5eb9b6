// std::locale as a class without facets. Boost.Program_options builds its help text in a std::stringstream, whose
// constructor asks for a locale; libstdc++'s own takes every facet, narrow and wide (600 KB), into a static program.
// Streams look their facets up with has_facet and do without: text passes, a number sets badbit.
// This replaces locale.o, locale_init.o and ios_init.o of libstdc++ (its ABI is frozen since GCC 5).
#include <clocale>
#include <ios>
#include <locale>
#include <new>

namespace std {

locale::_Impl* locale::_S_classic;

locale::_Impl::_Impl(size_t references) noexcept
    : _M_refcount(static_cast<_Atomic_word>(references)),
      _M_facets(nullptr),
      _M_facets_size(0),
      _M_caches(nullptr),
      _M_names(nullptr) {}
locale::_Impl::~_Impl() noexcept = default;
void locale::_Impl::_M_install_cache(const facet*, size_t) {}

// There is one locale, it is never destroyed, and all objects are equal: copies count nothing.
const locale& locale::classic() {
    alignas(_Impl) static unsigned char implementation[sizeof(_Impl)];
    alignas(locale) static unsigned char object[sizeof(locale)];
    static const locale* const made = [] {
        _S_classic = new (implementation) _Impl(1);
        return new (object) locale(_S_classic);
    }();
    return *made;
}
locale::locale(_Impl* implementation) noexcept : _M_impl(implementation) {}
locale::locale() noexcept : _M_impl(classic()._M_impl) {}
locale::locale(const locale& other) noexcept : _M_impl(other._M_impl) {}
locale::~locale() noexcept {}
const locale& locale::operator=(const locale& other) noexcept {
    _M_impl = other._M_impl;
    return *this;
}
bool locale::operator==(const locale&) const noexcept { return true; }

// An index that no table has: every look-up of a facet finds none.
size_t locale::id::_M_id() const noexcept { return static_cast<size_t>(-1); }

locale::facet::~facet() {}
__c_locale locale::facet::_S_get_c_locale() { return newlocale(LC_ALL_MASK, "C", nullptr); }
const char* locale::facet::_S_get_c_name() noexcept { return "C"; }

ios_base::Init::Init() {}
ios_base::Init::~Init() {}

}  // namespace std

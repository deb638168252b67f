// Memory between two pages that must not be touched, and what to say when somebody does.
#pragma once
#include <stddef.h>

namespace emulator {

// Bytes [begin, end) that may be used, whole pages; the pages on both sides may not.
class Guarded {
public:
    // At least `bytes`; ends the program where the system has no such memory, saying what it was `for_what`.
    static Guarded map(size_t bytes, const char* for_what);
    // As above, but begins at 0 where there is none.
    static Guarded try_map(size_t bytes);
    void unmap() const;
    unsigned char* begin() const { return first; }
    unsigned char* end() const { return first + length; }

private:
    unsigned char* first = nullptr;
    size_t length = 0;
};

// Fills with a pattern whose every aligned f32, bf16 and f16 is a NaN, and which differs from the one that memory is
// filled with before its first use (0xff).
void mark(unsigned char* from, unsigned char* to);
// Whether it still stands.
bool is_marked(const unsigned char* from, const unsigned char* to);

// From here on, and for this thread of the system until `Watch` is destroyed, a touch of memory that may not be touched
// ends the program with the name of the kernel.
class Watch {
public:
    Watch();
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

private:
    void* former;
    unsigned char* stack;
};

}  // namespace emulator

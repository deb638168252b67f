// sums (16, 8) += a (16, k) . b (k, 8), in f32, one k after the other. A card rounds its sums otherwise, and no two kinds
// of card alike, so tests allow for that.
#include "products.h"

#include "block.h"

// Where the compiler can have the system choose at the start of the program, loops are compiled for AVX2 as well. The
// results are the same: nothing is contracted.
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && (!defined(__clang__) || __clang_major__ >= 14)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif
#define ALWAYS inline __attribute__((always_inline))

namespace emulator {

namespace {

// A row of sums or of b.
typedef float Row __attribute__((vector_size(32)));

// What the lanes have, words of lane i at i.
struct Words {
    alignas(32) uint32_t a[LANES][4];
    alignas(32) uint32_t b[LANES][2];
};

// The numbers in them: where a word holds two, the lower one is `[0]`.
struct Numbers {
    alignas(32) float a[2][LANES][4];
    alignas(32) float b[2][LANES][2];
};

ALWAYS void gather(Words& words, const Operands* lanes) {
    for (unsigned i = 0; i < LANES; i++) {
        memcpy(words.a[i], lanes[i].a, sizeof words.a[i]);
        memcpy(words.b[i], lanes[i].b, sizeof words.b[i]);
    }
}

// Both halves of a word, by what makes a number of 16 bits one of 32.
template <class Widen> ALWAYS void expand(Numbers& numbers, const Words& words, Widen widen) {
    const uint32_t *a = words.a[0], *b = words.b[0];
    float *a_low = numbers.a[0][0], *a_high = numbers.a[1][0], *b_low = numbers.b[0][0], *b_high = numbers.b[1][0];
    for (unsigned i = 0; i < LANES * 4; i++) a_low[i] = widen(uint16_t(a[i])), a_high[i] = widen(uint16_t(a[i] >> 16));
    for (unsigned i = 0; i < LANES * 2; i++) b_low[i] = widen(uint16_t(b[i])), b_high[i] = widen(uint16_t(b[i] >> 16));
}

ALWAYS void sums_of(float (&sums)[16][8], const Operands* lanes) {
    for (unsigned g = 0; g < 8; g++)
        for (unsigned t = 0; t < 4; t++) {
            memcpy(&sums[g][2 * t], lanes[4 * g + t].sums, 8);
            memcpy(&sums[g + 8][2 * t], lanes[4 * g + t].sums + 2, 8);
        }
}

ALWAYS void sums_to(const Operands* lanes, const float (&sums)[16][8]) {
    for (unsigned g = 0; g < 8; g++)
        for (unsigned t = 0; t < 4; t++) {
            memcpy(lanes[4 * g + t].sums, &sums[g][2 * t], 8);
            memcpy(lanes[4 * g + t].sums + 2, &sums[g + 8][2 * t], 8);
        }
}

// With g = lane / 4 and t = lane % 4, register q of b holds k = 2t and 2t + 1 (+ 8q) of column g; register 2q + below of a
// the same k of row g (+ 8 where it is `below`).
ALWAYS void products_16(const Numbers& numbers, const Operands* lanes) {
    alignas(32) float sums[16][8], b[16][8];
    sums_of(sums, lanes);
    for (unsigned g = 0; g < 8; g++)
        for (unsigned t = 0; t < 4; t++)
            for (unsigned q = 0; q < 2; q++)
                for (unsigned half = 0; half < 2; half++) b[2 * t + half + 8 * q][g] = numbers.b[half][4 * g + t][q];
    for (unsigned row = 0; row < 16; row++) {
        Row sum;
        memcpy(&sum, sums[row], sizeof sum);
        for (unsigned k = 0; k < 16; k++) {
            Row right;
            memcpy(&right, b[k], sizeof right);
            sum += numbers.a[k % 2][row % 8 * 4 + k % 8 / 2][k / 8 * 2 + row / 8] * right;
        }
        memcpy(sums[row], &sum, sizeof sum);
    }
    sums_to(lanes, sums);
}

}  // namespace

CLONES void products_b16(const Operands* lanes) {
    Words words;
    Numbers numbers;
    gather(words, lanes);
    expand(numbers, words, [](uint16_t x) { return from_bits(uint32_t(x) << 16); });
    products_16(numbers, lanes);
}

CLONES void products_f16(const Operands* lanes) {
    Words words;
    Numbers numbers;
    gather(words, lanes);
    expand(numbers, words, [](uint16_t x) { return from_f16(x); });
    products_16(numbers, lanes);
}

// Register q of b holds k = t (+ 4q) of column g; register 2q + below of a the same k of row g (+ 8). The low 13 bits of
// a word are not looked at.
CLONES void products_t32(const Operands* lanes) {
    Words words;
    gather(words, lanes);
    alignas(32) float sums[16][8], b[8][8];
    sums_of(sums, lanes);
    for (unsigned g = 0; g < 8; g++)
        for (unsigned t = 0; t < 4; t++)
            for (unsigned q = 0; q < 2; q++) b[t + 4 * q][g] = from_bits(words.b[4 * g + t][q] & 0xffffe000u);
    for (unsigned row = 0; row < 16; row++) {
        Row sum;
        memcpy(&sum, sums[row], sizeof sum);
        for (unsigned k = 0; k < 8; k++) {
            Row right;
            memcpy(&right, b[k], sizeof right);
            sum += from_bits(words.a[row % 8 * 4 + k % 4][k / 4 * 2 + row / 8] & 0xffffe000u) * right;
        }
        memcpy(sums[row], &sum, sizeof sum);
    }
    sums_to(lanes, sums);
}

}  // namespace emulator

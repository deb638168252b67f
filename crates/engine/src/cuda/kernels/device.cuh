// What kernels are written in: the card's own words where nvcc compiles them, and an emulation's where a C++ compiler does,
// so that every kernel can be run and tested on a machine without a card (`tests/emulator`).
//
// Numbers are f32 (`F32`), f16 (`F16`) or bf16 (`B16`); arithmetic is f32 everywhere but in the tensor cores, which
// accumulate in f32. What lies beyond f16's largest number becomes infinite, and soon no number at all, which no function
// turns into one again: features show it.
#pragma once
#include "arguments.h"

// Whether there are products by four warps together: on compute capability 9.0, and in the emulation.
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define WARPGROUPS
#endif

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#define DEVICE __device__ __forceinline__
// A kernel for blocks of `threads`, of which `blocks` are to fit on a multiprocessor.
#define KERNEL(name, Arguments, threads, blocks) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Arguments a)
// The memory that a block's threads share, as bytes.
#define SHARED(name) extern __shared__ __align__(1024) unsigned char name[]
#else
#include "emulator.h"
#endif

struct F32 { static constexpr int bytes = 4; };
struct F16 { static constexpr int bytes = 2; };
struct B16 { static constexpr int bytes = 2; };
// f32 in memory, rounded to tf32 by the tensor cores' products.
struct T32 { static constexpr int bytes = 4; };

// 16 bytes.
struct alignas(16) Quad { uint32_t word[4]; };

template <class T> DEVICE T* pointer(Address address) { return reinterpret_cast<T*>(address); }

DEVICE int least(int a, int b) { return a < b ? a : b; }
DEVICE int most(int a, int b) { return a > b ? a : b; }
DEVICE int blocks_of(int count, int size) { return (count + size - 1) / size; }

// ---- two numbers of 16 bits in a word ------------------------------------------------------------------------------

template <class E> struct Pair;
#ifdef __CUDACC__
template <> struct Pair<B16> {
    static DEVICE uint32_t pack(float low, float high) {
        uint32_t word;
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
        return word;
    }
    static DEVICE float low(uint32_t word) { return __uint_as_float(word << 16); }
    static DEVICE float high(uint32_t word) { return __uint_as_float(word & 0xffff0000u); }
};
template <> struct Pair<F16> {
    static DEVICE uint32_t pack(float low, float high) {
        uint32_t word;
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
        return word;
    }
    static DEVICE float low(uint32_t word) {
        return __half2float(__ushort_as_half(static_cast<unsigned short>(word & 0xffffu)));
    }
    static DEVICE float high(uint32_t word) {
        return __half2float(__ushort_as_half(static_cast<unsigned short>(word >> 16)));
    }
};
#else
template <> struct Pair<B16> {
    static uint32_t pack(float low, float high) { return emulator::bf16(low) | uint32_t(emulator::bf16(high)) << 16; }
    static float low(uint32_t word) { return emulator::from_bits(word << 16); }
    static float high(uint32_t word) { return emulator::from_bits(word & 0xffff0000u); }
};
template <> struct Pair<F16> {
    static uint32_t pack(float low, float high) {
        return emulator::f16(low) | uint32_t(emulator::f16(high)) << 16;
    }
    static float low(uint32_t word) { return emulator::from_f16(uint16_t(word)); }
    static float high(uint32_t word) { return emulator::from_f16(uint16_t(word >> 16)); }
};
#endif

// Eight numbers one after the other, beginning at a multiple of eight.
template <class E> DEVICE void load8(float (&x)[8], Address base, size_t at) {
    if constexpr (E::bytes == 4) {
        const Quad* from = pointer<const Quad>(base) + at / 4;
        Quad low = from[0], high = from[1];
        for (int i = 0; i < 4; i++) x[i] = __uint_as_float(low.word[i]), x[4 + i] = __uint_as_float(high.word[i]);
    } else {
        Quad quad = pointer<const Quad>(base)[at / 8];
        for (int i = 0; i < 4; i++) x[2 * i] = Pair<E>::low(quad.word[i]), x[2 * i + 1] = Pair<E>::high(quad.word[i]);
    }
}

template <class E> DEVICE void store8(const float (&x)[8], Address base, size_t at) {
    if constexpr (E::bytes == 4) {
        Quad* to = pointer<Quad>(base) + at / 4;
        for (int half = 0; half < 2; half++) {
            Quad quad;
            for (int i = 0; i < 4; i++) quad.word[i] = __float_as_uint(x[4 * half + i]);
            to[half] = quad;
        }
    } else {
        Quad quad;
        for (int i = 0; i < 4; i++) quad.word[i] = Pair<E>::pack(x[2 * i], x[2 * i + 1]);
        pointer<Quad>(base)[at / 8] = quad;
    }
}

// As above, in f32 where that is asked for.
template <class E> DEVICE void store8(const float (&x)[8], Address base, size_t at, bool f32) {
    if (f32) store8<F32>(x, base, at);
    else store8<E>(x, base, at);
}

template <class E> DEVICE float load1(Address base, size_t at) {
    if constexpr (E::bytes == 4) {
        return pointer<const float>(base)[at];
    } else {
        uint32_t word = pointer<const uint16_t>(base)[at];
        return Pair<E>::low(word);
    }
}

template <class E> DEVICE void store1(float x, Address base, size_t at) {
    if constexpr (E::bytes == 4) pointer<float>(base)[at] = x;
    else pointer<uint16_t>(base)[at] = static_cast<uint16_t>(Pair<E>::pack(x, 0.f));
}

// As a value of the network would hold them. Between the operations that one kernel does, numbers are rounded as if each
// were stored: what else reads a node, and so which kernels there are, must not decide what becomes of it.
template <class E, int N> DEVICE void round_off(float (&x)[N]) {
    static_assert(N % 2 == 0, "numbers are rounded two at a time");
    if constexpr (E::bytes == 2)
#pragma unroll
        for (int i = 0; i < N; i += 2) {
            uint32_t word = Pair<E>::pack(x[i], x[i + 1]);
            x[i] = Pair<E>::low(word), x[i + 1] = Pair<E>::high(word);
        }
}

// ---- functions of a number -----------------------------------------------------------------------------------------

// What is no number stays so: `fminf` and `fmaxf` would drop it.
DEVICE float within(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

// 1 / x and 2^x: exact to the last digit or two in f32; where the result is rounded to 16 bits, what the card has an
// instruction for (relative errors of 2^-23 and 2^-22; numbers below 2^-126 are 0).
template <class E> DEVICE float reciprocal(float x) {
#ifdef __CUDACC__
    if constexpr (E::bytes == 2) {
        float y;
        asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
        return y;
    }
#endif
    return 1.f / x;
}
template <class E> DEVICE float power_of_2(float x) {
#ifdef __CUDACC__
    if constexpr (E::bytes == 2) {
        float y;
        asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
        return y;
    }
#endif
    return exp2f(x);
}

template <class E> DEVICE float sigmoid(float x) {
    return reciprocal<E>(1.f + power_of_2<E>(within(x * -1.44269504f, -126.f, 126.f)));
}

// x times the normal distribution's share below x. With 16 bits to keep, the error function is Abramowitz and Stegun's
// 7.1.25, to 2.5e-5.
template <class E> DEVICE float gelu(float x) {
    if constexpr (E::bytes == 4) {
        return 0.5f * x * (1.f + erff(x * 0.70710678f));
    } else {
        float u = fabsf(x) * 0.70710678f;
        float t = reciprocal<E>(fmaf(0.47047f, u, 1.f));
        float tail = t * fmaf(t, fmaf(t, 0.7478556f, -0.0958798f), 0.3480242f) * power_of_2<E>(u * u * -1.44269504f);
        return x > 0.f ? x * fmaf(-0.5f, tail, 1.f) : x * 0.5f * tail;
    }
}

template <class E> DEVICE float activate(const Function& function, float x) {
    switch (function.activation) {
    case RELU: return x < 0.f ? 0.f : x;
    case RELU6: return within(x, 0.f, 6.f);
    case GELU: return gelu<E>(x);
    case GELU_TANH: return x * sigmoid<E>(x * fmaf(0.071354814f * x, x, 1.595769f));
    case QUICK_GELU: return x * sigmoid<E>(1.702f * x);
    case SILU: return x * sigmoid<E>(x);
    case SIGMOID: return sigmoid<E>(x);
    case HARD_SIGMOID: return within(x + 3.f, 0.f, 6.f) * 0.16666667f;
    case HARD_SWISH: return x * within(x + 3.f, 0.f, 6.f) * 0.16666667f;
    case TANH: return fmaf(-2.f, sigmoid<E>(-2.f * x), 1.f);
    case SOFTPLUS: return (x < 0.f ? 0.f : x) + log1pf(power_of_2<E>(fabsf(x) * -1.44269504f));
    case MISH: {
        // With n = e^x (e^x + 2), tanh(softplus(x)) = n / (n + 2).
        float e = power_of_2<E>(within(x * 1.44269504f, -126.f, 60.f)), n = e * (e + 2.f);
        return x * n * reciprocal<E>(n + 2.f);
    }
    case LEAKY_RELU: return x < 0.f ? x * function.first : x;
    case ELU: return x < 0.f ? function.first * (power_of_2<E>(within(x * 1.44269504f, -126.f, 0.f)) - 1.f) : x;
    case CLIP: return within(x, function.first, function.second);
    default: return x;
    }
}

template <class E, int ACTIVATION, int N> DEVICE void activate_as(const Function& function, float (&x)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) x[i] = activate<E>({ACTIVATION, function.first, function.second}, x[i]);
}

// A function of several numbers, which is chosen once for all of them.
template <class E, int N> DEVICE void activate_each(const Function& function, float (&x)[N]) {
    switch (function.activation) {
    case RELU: return activate_as<E, RELU>(function, x);
    case RELU6: return activate_as<E, RELU6>(function, x);
    case GELU: return activate_as<E, GELU>(function, x);
    case GELU_TANH: return activate_as<E, GELU_TANH>(function, x);
    case QUICK_GELU: return activate_as<E, QUICK_GELU>(function, x);
    case SILU: return activate_as<E, SILU>(function, x);
    case SIGMOID: return activate_as<E, SIGMOID>(function, x);
    case HARD_SIGMOID: return activate_as<E, HARD_SIGMOID>(function, x);
    case HARD_SWISH: return activate_as<E, HARD_SWISH>(function, x);
    case TANH: return activate_as<E, TANH>(function, x);
    case SOFTPLUS: return activate_as<E, SOFTPLUS>(function, x);
    case MISH: return activate_as<E, MISH>(function, x);
    case LEAKY_RELU: return activate_as<E, LEAKY_RELU>(function, x);
    case ELU: return activate_as<E, ELU>(function, x);
    case CLIP: return activate_as<E, CLIP>(function, x);
    default: return;
    }
}

// ---- copies that go on while threads work, and the tensor cores ----------------------------------------------------

#ifdef __CUDACC__
DEVICE uint32_t shared_address(const void* at) { return static_cast<uint32_t>(__cvta_generic_to_shared(at)); }

// 16 bytes from the card's memory into shared memory, or zeros where they are not `there`.
DEVICE void copy16(void* to, const void* from, bool there) {
    int bytes = there ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes));
}
// Ends a group of copies.
DEVICE void copies_end() { asm volatile("cp.async.commit_group;"); }
// Waits until no more than the last `left` groups are under way.
template <int left> DEVICE void copies_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory"); }

// Four matrices of eight rows of 16 bytes; lane i gives the address of row i % 8 of matrix i / 8. A lane is given word
// lane % 4 of row lane / 4 of each.
DEVICE void load_matrices(uint32_t (&r)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}
// As above, each matrix of 16-bit numbers transposed.
DEVICE void load_transposed(uint32_t (&r)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}

// sums (16, 8) += a (16, k) . b (k, 8): k = 16 numbers of 16 bits, or 8 of tf32. With g = lane / 4 and t = lane % 4, sums
// are of rows g, g + 8 and columns 2t, 2t + 1 (PTX, "Matrix Fragments for mma.m16n8k16").
template <class E> DEVICE void multiply(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
template <> DEVICE void multiply<B16>(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
template <> DEVICE void multiply<F16>(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
template <> DEVICE void multiply<T32>(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// The nearest number that tf32 has, ties away from zero.
DEVICE uint32_t tf32(uint32_t word) {
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(__uint_as_float(word)));
    return word;
}
DEVICE float shuffle_xor(float x, int lanes) { return __shfl_xor_sync(0xffffffffu, x, lanes); }
// Makes what this thread's copies have written visible to `group_begin`, after the next barrier.
DEVICE void publish() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
// A tile of rows of 128 bytes, their pieces exchanged by the row's number, as the tensor cores of compute capability 9.0
// are told of it (PTX, "Matrix Descriptor Format"): eight rows are 1024 bytes apart from the next eight, swizzled by 128.
DEVICE uint64_t matrix(const unsigned char* tile) {
    return uint64_t((shared_address(tile) & 0x3ffff) >> 4) | 1ull << 16 | uint64_t(1024 >> 4) << 32 | 1ull << 62;
}
#define GROUP_MULTIPLY(E, type, columns, registers, left, right, list)                                                   \
    template <> DEVICE void group_product<E>(float (&sums)[columns / 8][4], uint64_t rows, uint64_t weights) {           \
        asm volatile("{\n.reg .pred all;\nsetp.eq.u32 all, 0, 0;\n"                                                    \
                     "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." type "." type " {" registers "}, " left     \
                     ", " right ", all, 1, 1, 0, 0;\n}"                                                                  \
                     : list : "l"(rows), "l"(weights));                                                                  \
    }
#define S(i) "+f"(sums[i][0]), "+f"(sums[i][1]), "+f"(sums[i][2]), "+f"(sums[i][3])
#define FIRST32 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, "   \
    "%22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define NEXT32 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, "    \
    "%52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define SUMS8 S(0), S(1), S(2), S(3), S(4), S(5), S(6), S(7)
#define SUMS16 SUMS8, S(8), S(9), S(10), S(11), S(12), S(13), S(14), S(15)
template <class E> DEVICE void group_product(float (&sums)[8][4], uint64_t rows, uint64_t weights);
template <class E> DEVICE void group_product(float (&sums)[16][4], uint64_t rows, uint64_t weights);
GROUP_MULTIPLY(B16, "bf16", 64, FIRST32, "%32", "%33", SUMS8)
GROUP_MULTIPLY(F16, "f16", 64, FIRST32, "%32", "%33", SUMS8)
GROUP_MULTIPLY(B16, "bf16", 128, FIRST32 ", " NEXT32, "%64", "%65", SUMS16)
GROUP_MULTIPLY(F16, "f16", 128, FIRST32 ", " NEXT32, "%64", "%65", SUMS16)

// sums (64, 8·N) += rows (64, 64) . columns (8·N, 64): 128 threads together, by their own tensor cores' asynchronous
// products, which go on until `group_end`; nobody touches sums or tiles before. Both tiles lie as `matrix` says. A warp has
// the sixteen rows of its number, fragments as `multiply`'s.
template <class E, int N>
DEVICE void group_begin(float (&sums)[N][4], const unsigned char* rows, const unsigned char* columns) {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    uint64_t left = matrix(rows), right = matrix(columns);
#pragma unroll
    for (int k = 0; k < 4; k++) group_product<E>(sums, left + 2 * k, right + 2 * k);
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int N> DEVICE void group_end(float (&sums)[N][4]) {
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    // What reads the sums comes after this.
    for (int j = 0; j < N; j++)
        asm volatile("" : "+f"(sums[j][0]), "+f"(sums[j][1]), "+f"(sums[j][2]), "+f"(sums[j][3])::"memory");
}
#endif
#else
using emulator::copies_end;
using emulator::copy16;
using emulator::load_matrices;
using emulator::load_transposed;
using emulator::shuffle_xor;
using emulator::tf32;
template <int left> void copies_wait() { emulator::copies_wait(left); }
template <class E> void multiply(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
template <> inline void multiply<B16>(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { emulator::multiply_b16(sums, a, b); }
template <> inline void multiply<F16>(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { emulator::multiply_f16(sums, a, b); }
template <> inline void multiply<T32>(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { emulator::multiply_t32(sums, a, b); }
// As on a card; each thread works out its own sums.
inline void publish() {}
template <int N> void group_end(float (&)[N][4]) {}
template <class E, int N>
void group_begin(float (&sums)[N][4], const unsigned char* rows, const unsigned char* columns) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 4;
    // Number k of a row, which lies where the row's number has moved its piece.
    auto number = [](const unsigned char* tile, int row, int k) {
        const unsigned char* at = tile + row * 128 + ((k / 8) ^ (row & 7)) * 16 + k % 8 * 2;
        uint32_t word = *reinterpret_cast<const uint16_t*>(at);
        return Pair<E>::low(word);
    };
    float left[2][64];
    for (int half = 0; half < 2; half++)
        for (int k = 0; k < 64; k++) left[half][k] = number(rows, warp * 16 + lane / 4 + 8 * half, k);
    for (int j = 0; j < N; j++)
        for (int side = 0; side < 2; side++)
            for (int k = 0; k < 64; k++) {
                float right = number(columns, 8 * j + lane % 4 * 2 + side, k);
                for (int half = 0; half < 2; half++) sums[j][2 * half + side] += left[half][k] * right;
            }
}
#endif

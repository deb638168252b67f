// Kernels that try the emulator itself: each its one word, or its one mistake.
#include "device.cuh"

struct Probe {
    Address in, other, out;
    int32_t count, mode;
};

namespace {

// a (16, k) and b (8, k), rows of words; out (16, 8) f32 is added to. A word is two numbers of 16 bits or one of tf32.
template <class E> DEVICE void product(const Probe& p) {
    constexpr int width = 8;
    int lane = int(threadIdx.x % 32), g = lane / 4, t = lane % 4;
    const uint32_t *left = pointer<const uint32_t>(p.in), *right = pointer<const uint32_t>(p.other);
    float* out = pointer<float>(p.out);
    uint32_t a[4] = {left[g * width + t], left[(g + 8) * width + t], left[g * width + t + 4], left[(g + 8) * width + t + 4]};
    uint32_t b[2] = {right[g * width + t], right[g * width + t + 4]};
    float* at[4] = {out + g * 8 + 2 * t, out + g * 8 + 2 * t + 1, out + (g + 8) * 8 + 2 * t, out + (g + 8) * 8 + 2 * t + 1};
    float sums[4] = {*at[0], *at[1], *at[2], *at[3]};
    // More than once to measure it.
    for (int i = 0; i < p.count; i++) multiply<E>(sums, a, b);
    for (int i = 0; i < 4; i++) *at[i] = sums[i];
}

}  // namespace

KERNEL(probe_multiply_b16, Probe, 32, 1) { product<B16>(a); }
KERNEL(probe_multiply_f16, Probe, 32, 1) { product<F16>(a); }
KERNEL(probe_multiply_t32, Probe, 32, 1) { product<T32>(a); }

// in: (32 rows, 8) numbers of 16 bits; out: (32 lanes, 4) words. Row r is kept at (5 r) % 32, so that rows are found by
// address. mode 1: transposed.
KERNEL(probe_load, Probe, 32, 1) {
    SHARED(shared);
    int lane = int(threadIdx.x);
    Quad* row = reinterpret_cast<Quad*>(shared) + 5 * lane % 32;
    *row = pointer<const Quad>(a.in)[lane];
    __syncwarp();
    uint32_t r[4];
    if (a.mode == 0) load_matrices(r, row);
    else load_transposed(r, row);
    for (int i = 0; i < 4; i++) pointer<uint32_t>(a.out)[lane * 4 + i] = r[i];
}

// out[lane] = in[lane ^ mode].
KERNEL(probe_shuffle, Probe, 1024, 1) {
    float x = pointer<const float>(a.in)[threadIdx.x];
    pointer<float>(a.out)[threadIdx.x] = shuffle_xor(x, a.mode);
}

// in: (count) f32; out: (count, 4) words: bf16, f16, f16 back to f32, tf32. other: (count) f16 that become f32 in out's
// third.
KERNEL(probe_convert, Probe, 256, 1) {
    int i = int(blockIdx.x * blockDim.x + threadIdx.x);
    if (i >= a.count) return;
    float x = pointer<const float>(a.in)[i];
    uint32_t* out = pointer<uint32_t>(a.out) + 4 * i;
    out[0] = Pair<B16>::pack(x, 0.f);
    out[1] = Pair<F16>::pack(x, 0.f);
    out[2] = __float_as_uint(Pair<F16>::low(pointer<const uint16_t>(a.other)[i]));
    out[3] = tf32(__float_as_uint(x));
}

// Two groups of one copy each; out: (thread, 5) words: the first group's word at once, after a wait that leaves one group,
// and the second group's then; the first's and second's after a wait that leaves none. mode 1: the second copies zeros.
KERNEL(probe_copies, Probe, 64, 1) {
    SHARED(shared);
    int thread = int(threadIdx.x);
    Quad *first = reinterpret_cast<Quad*>(shared) + 2 * thread, *second = first + 1;
    const Quad* from = pointer<const Quad>(a.in) + 2 * thread;
    uint32_t* out = pointer<uint32_t>(a.out) + 5 * thread;
    copy16(first, from, true);
    copies_end();
    copy16(second, from + 1, a.mode == 0);
    copies_end();
    out[0] = first->word[3];
    copies_wait<1>();
    out[1] = first->word[3], out[2] = second->word[0];
    copies_wait<0>();
    out[3] = first->word[3], out[4] = second->word[0];
}

// out[i] = in[threads - 1 - i], count times over, by way of shared memory; mode 1 forgets a barrier, mode 2 the other.
KERNEL(probe_barrier, Probe, 1024, 1) {
    SHARED(shared);
    float* line = reinterpret_cast<float*>(shared);
    unsigned i = threadIdx.x;
    float x = pointer<const float>(a.in)[i];
    for (int round = 0; round < a.count; round++) {
        line[i] = x;
        if (a.mode != 1) __syncthreads();
        x = line[blockDim.x - 1 - i];
        if (a.mode != 2) __syncthreads();
    }
    pointer<float>(a.out)[i] = x;
}

// out: (blocks z, y, x, threads, 4) words: the block's place and the thread's.
KERNEL(probe_places, Probe, 128, 1) {
    unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    uint32_t* out = pointer<uint32_t>(a.out) + 4 * (block * blockDim.x + threadIdx.x);
    out[0] += blockIdx.x + 1, out[1] += blockIdx.y + 1, out[2] += blockIdx.z + 1, out[3] += threadIdx.x + 1;
}

namespace {

// Needs about a kilobyte of stack for each level.
float deeper(int levels) {
    volatile float here[256];
    for (int i = 0; i < 256; i++) here[i] = float(levels + i);
    return levels > 0 ? deeper(levels - 1) + here[levels % 256] : here[0];
}

}  // namespace

// Mistakes, by `mode`. Shared memory is of `count` bytes.
KERNEL(probe_mistake, Probe, 64, 1) {
    SHARED(shared);
    int thread = int(threadIdx.x);
    float* out = pointer<float>(a.out);
    uint32_t r[4] = {}, b[2] = {};
    float sums[4] = {};
    switch (a.mode) {
    case 0: if (thread != 5) __syncthreads(); break;
    case 1: if (thread != 5) out[thread] = shuffle_xor(1.f, 1); break;
    case 2: copy16(shared + 8, pointer<const void>(a.in), true); copies_wait<0>(); break;
    case 3: copy16(shared, pointer<const unsigned char>(a.in) + 4, true); copies_wait<0>(); break;
    case 4: load_matrices(r, shared + 2 * thread); out[thread] = float(r[0]); break;
    case 5: load_matrices(r, shared + 32 * thread); out[thread] = float(r[0]); break;
    case 6: shared[a.count + thread / 32] = 0; break;
    case 7: out[0] = float(shared[a.count + 1024]); break;
    case 8: shared[-1 - thread] = 0; break;
    case 9: copy16(shared, pointer<const void>(a.in), true), copies_end(); break;
    case 10: if (thread % 2) multiply<B16>(sums, r, b); else __syncwarp(); break;
    case 11: out[-1] = 0.f; break;
    case 12: out[1] = 0.f; break;
    case 13: out[1 << 10] = 0.f; break;
    case 14: out[0] = pointer<const float>(0)[thread]; break;
    case 15: out[thread] = deeper(1000); break;
    case 16: copy16(shared + a.count, pointer<const void>(a.in), true); copies_wait<0>(); break;
    case 17: if (thread == 0) __syncthreads(); else if (thread < 32) __syncwarp(); break;
    // Not in a group that was ended.
    case 18: copy16(shared, pointer<const void>(a.in), true), copies_wait<0>(); break;
    default: break;
    }
}

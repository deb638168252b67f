// What only networks of texts do: rows of tables for tokens, one vector of a text's tokens, and numbers turned by places. Threads
// take eight neighbouring channels.
#include "items.cuh"

namespace {

constexpr int GATHER_THREADS = 256;
// Groups of eight channels that a block gathers, at most.
constexpr int GATHER_GROUPS = 32;

template <class E> DEVICE void lookup(const Lookup& a) {
    uint32_t rest = item();
    int channel = 8 * coordinate(rest, a.stride / 8);
    if (rest >= uint32_t(a.tokens)) return;
    float x[8];
    load8<E>(x, a.table, size_t(pointer<const int32_t>(a.row)[rest]) * a.stride + channel);
    store8<E>(x, a.out, size_t(rest) * a.stride + channel);
}

// A block's vectors: threads of one group of eight channels take every `across`-th token, and a tree joins what they have.
template <class E> DEVICE void gather(const Gather& a, float* shared) {
    int all = a.stride / 8, groups = 1;
    while (groups < all && groups < GATHER_GROUPS) groups *= 2;
    int across = GATHER_THREADS / groups, first = threadIdx.x / groups;
    uint32_t rest = blockIdx.x;
    int group = coordinate(rest, blocks_of(all, groups)) * groups + threadIdx.x % groups;
    const int32_t* starts = pointer<const int32_t>(a.starts) + rest;
    int begin = starts[0], count = starts[1] - begin;
    // One token is its own mean.
    if (a.pooling == LAST_TOKEN) begin += count - 1;
    if (a.pooling == FIRST_TOKEN || a.pooling == LAST_TOKEN) count = 1;
    bool largest = a.pooling == LARGEST_OF_TOKENS;

    float x[8];
    for (int i = 0; i < 8; i++) x[i] = largest ? -INFINITY : 0.f;
    if (group < all) {
#pragma unroll 4
        for (int token = first; token < count; token += across) {
            float seen[8];
            load8<E>(seen, a.in, (size_t(begin) + token) * a.stride + 8 * group);
            for (int i = 0; i < 8; i++) x[i] = largest ? larger(x[i], seen[i]) : x[i] + seen[i];
        }
    }
    if (largest) join8(x, shared, across, groups, [](float x, float y) { return larger(x, y); });
    else join8(x, shared, across, groups);
    if (first != 0 || group >= all) return;
    if (!largest)
        for (int i = 0; i < 8; i++) x[i] /= float(count);
    store8<E>(x, a.out, size_t(rest) * a.stride + 8 * group, a.out_f32 != 0);
}

// Of number `at` of a head: its pair, and whether it is the second of it.
DEVICE int pair_of(const Rotary& a, int at, bool& second) {
    int half = a.turned / 2;
    second = a.neighbours ? at % 2 == 1 : at >= half;
    return a.neighbours ? at / 2 : second ? at - half : at;
}

template <class E> DEVICE void rotary(const Rotary& a) {
    uint32_t rest = item();
    int channel = 8 * coordinate(rest, a.stride / 8);
    if (rest >= uint32_t(a.rows)) return;
    size_t row = size_t(rest) * a.stride;
    size_t angles = size_t(pointer<const int32_t>(a.place)[rest]) * a.turned;
    int half = a.turned / 2, apart = a.neighbours ? 1 : half;
    float x[8];
    bool second;
    if (!a.neighbours && a.depth % 8 == 0 && half % 8 == 0) {
        // Eight numbers of one half of a head, and the other half's.
        int at = channel % a.depth;
        load8<E>(x, a.in, row + channel);
        if (at < a.turned) {
            float others[8], cosines[8], sines[8];
            int pair = pair_of(a, at, second);
            load8<E>(others, a.in, row + channel + (second ? -apart : apart));
            load8<F32>(cosines, a.angles, angles + pair);
            load8<F32>(sines, a.angles, angles + half + pair);
            for (int i = 0; i < 8; i++) {
                float turned = others[i] * sines[i];
                x[i] = x[i] * cosines[i] + (second ? turned : -turned);
            }
        }
    } else {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            int at = (channel + i) % a.depth;
            x[i] = channel + i < a.channels ? load1<E>(a.in, row + channel + i) : 0.f;
            if (channel + i >= a.channels || at >= a.turned) continue;
            int pair = pair_of(a, at, second);
            float other = load1<E>(a.in, row + channel + i + (second ? -apart : apart));
            float turned = other * load1<F32>(a.angles, angles + half + pair);
            x[i] = x[i] * load1<F32>(a.angles, angles + pair) + (second ? turned : -turned);
        }
    }
    store8<E>(x, a.out, row + channel);
}

}  // namespace

// All have blocks of 256 threads along x; with lookup_ a thread does one item of tokens * stride / 8, with rotary_ one of
// rows * stride / 8. With gather_ a block does one text and 8·groups channels, where groups is the least power of 2 that is not
// below stride / 8, or 32 where that is more; it has 8192 bytes of shared memory. There are
//     texts * ceil(stride / 8 / groups)
// of its blocks.
#define TEXTS(E, lookup_name, gather_name, rotary_name)        \
    KERNEL(lookup_name, Lookup, ITEM_THREADS, 4) { lookup<E>(a); } \
    KERNEL(gather_name, Gather, GATHER_THREADS, 4) {           \
        SHARED(shared);                                        \
        gather<E>(a, reinterpret_cast<float*>(shared));        \
    }                                                          \
    KERNEL(rotary_name, Rotary, ITEM_THREADS, 4) { rotary<E>(a); }
TEXTS(F32, lookup_f32, gather_f32, rotary_f32)
TEXTS(F16, lookup_f16, gather_f16, rotary_f16)
TEXTS(B16, lookup_b16, gather_b16, rotary_b16)

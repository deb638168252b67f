// Attention: 64 queries of one head a block, over 64 keys at a time, so that scores never exist as a whole (Dao, 2023,
// "FlashAttention-2", algorithm 1). Scores, their softmax and its sums are f32; with 16-bit numbers the shares are rounded
// to 16 bits before they weigh the values, as the tensor cores take them.
//
// blocks: pictures * groups * heads * blocks_of(queries, QUERIES), queries fastest; 128 threads.
#include "device.cuh"

namespace {

constexpr int THREADS = 128;
constexpr float LOG2_E = 1.44269504f;

// What a block is to do.
template <int QUERIES> struct Task {
    int picture, group, head, query;

    DEVICE Task(const Attention& a) {
        int tiles = blocks_of(a.queries, QUERIES), at = blockIdx.x;
        query = at % tiles * QUERIES, at /= tiles;
        head = at % a.heads, at /= a.heads;
        group = at % a.groups, picture = at / a.groups;
    }

    // The row of its picture that a query or key of the group is.
    DEVICE int place(const Attention& a, int i) const {
        return a.places ? pointer<const int32_t>(a.places)[group * a.queries + i] : i;
    }

    // (queries, keys): added to the scores, or null.
    DEVICE const float* bias(const Attention& a) const {
        if (!a.bias) return nullptr;
        int kind = a.kinds ? pointer<const int32_t>(a.kinds)[group] : 0;
        return pointer<const float>(a.bias) + (size_t(kind) * a.heads + head) * a.queries * a.keys;
    }
};

// With 16-bit numbers, by the tensor cores; a warp has 16 queries. DEPTH: the head's depth, rounded up to sixteens.
template <class E, int DEPTH> DEVICE void attention16(const Attention& a) {
    SHARED(shared);
    constexpr int QUERIES = 64, KEYS = 64, STEPS = DEPTH / 16;
    // A row is an odd number of times 16 bytes long: eight rows' pieces lie in different banks.
    constexpr int PITCH = DEPTH * 2 + 16, TILE = 64 * PITCH;
    Task<QUERIES> task(a);
    int lane = threadIdx.x % 32, warp_row = threadIdx.x / 32 * 16;

    auto fetch = [&](unsigned char* tile, Address from, int first, int count, int rows, int stride) {
        for (int at = threadIdx.x; at < 64 * (DEPTH / 8); at += THREADS) {
            int row = at / (DEPTH / 8), piece = at % (DEPTH / 8);
            bool there = first + row < count && piece * 8 < a.depth;
            size_t place = there ? size_t(task.picture) * rows + task.place(a, first + row) : 0;
            size_t number = there ? place * stride + task.head * a.depth + piece * 8 : 0;
            copy16(tile + row * PITCH + piece * 16, pointer<const unsigned char>(from) + number * 2, there);
        }
    };
    // Queries, then two stages of keys and values.
    auto stage = [&](int tile) { return shared + TILE + tile % 2 * (2 * TILE); };
    auto fetch_keys = [&](int tile) {
        fetch(stage(tile), a.k, tile * KEYS, a.keys, a.k_rows, a.k_stride);
        fetch(stage(tile) + TILE, a.v, tile * KEYS, a.keys, a.k_rows, a.k_stride);
        copies_end();
    };
    fetch(shared, a.q, task.query, a.queries, a.q_rows, a.q_stride);
    fetch_keys(0);

    const float* bias = task.bias(a);
    uint32_t queries[STEPS][4];
    float out[DEPTH / 8][4] = {};
    // Of the rows lane / 4 and lane / 4 + 8.
    float largest[2] = {-INFINITY, -INFINITY}, total[2] = {0.f, 0.f};
    int tiles = blocks_of(a.keys, KEYS);
    for (int tile = 0; tile < tiles; tile++) {
        if (tile + 1 < tiles) fetch_keys(tile + 1);
        else copies_end();
        copies_wait<1>();
        __syncthreads();
        if (tile == 0)
            for (int k = 0; k < STEPS; k++)
                load_matrices(queries[k], shared + (warp_row + lane % 16) * PITCH + (2 * k + lane / 16) * 16);
        unsigned char *keys = stage(tile), *values = keys + TILE;

        float scores[KEYS / 8][4] = {};
#pragma unroll
        for (int k = 0; k < STEPS; k++)
            for (int j = 0; j < KEYS / 8; j += 2) {
                uint32_t both[4];
                load_matrices(both, keys + (8 * j + lane / 16 * 8 + lane % 8) * PITCH + (2 * k + lane / 8 % 2) * 16);
                uint32_t low[2] = {both[0], both[1]}, high[2] = {both[2], both[3]};
                multiply<E>(scores[j], queries[k], low);
                multiply<E>(scores[j + 1], queries[k], high);
            }

        // In powers of 2. What is no key of this group, or is not seen, weighs nothing.
        float tops[2] = {largest[0], largest[1]};
        for (int j = 0; j < KEYS / 8; j++)
            for (int i = 0; i < 4; i++) {
                int key = tile * KEYS + 8 * j + lane % 4 * 2 + i % 2;
                int query = task.query + warp_row + lane / 4 + i / 2 * 8;
                float score = scores[j][i] * (a.scale * LOG2_E);
                if (bias && key < a.keys && query < a.queries) score += bias[size_t(query) * a.keys + key] * LOG2_E;
                scores[j][i] = key < a.keys ? score : -INFINITY;
                tops[i / 2] = fmaxf(tops[i / 2], scores[j][i]);
            }
        float shrink[2];
        for (int half = 0; half < 2; half++) {
            tops[half] = fmaxf(tops[half], shuffle_xor(tops[half], 1));
            tops[half] = fmaxf(tops[half], shuffle_xor(tops[half], 2));
            // Where nothing was seen yet, any number does: everything is weighed by 0.
            float top = tops[half] == -INFINITY ? 0.f : tops[half];
            shrink[half] = power_of_2<E>(largest[half] - top);
            largest[half] = tops[half];
            tops[half] = top;
            total[half] *= shrink[half];
        }
        for (int j = 0; j < DEPTH / 8; j++)
            for (int i = 0; i < 4; i++) out[j][i] *= shrink[i / 2];
        uint32_t shares[KEYS / 16][4];
        for (int j = 0; j < KEYS / 8; j++) {
            for (int i = 0; i < 4; i++) {
                scores[j][i] = power_of_2<E>(scores[j][i] - tops[i / 2]);
                total[i / 2] += scores[j][i];
            }
            shares[j / 2][j % 2 * 2] = Pair<E>::pack(scores[j][0], scores[j][1]);
            shares[j / 2][j % 2 * 2 + 1] = Pair<E>::pack(scores[j][2], scores[j][3]);
        }
#pragma unroll
        for (int k = 0; k < KEYS / 16; k++)
            for (int j = 0; j < DEPTH / 8; j += 2) {
                uint32_t both[4];
                load_transposed(both, values + (16 * k + lane % 16) * PITCH + (j + lane / 16) * 16);
                uint32_t low[2] = {both[0], both[1]}, high[2] = {both[2], both[3]};
                multiply<E>(out[j], shares[k], low);
                multiply<E>(out[j + 1], shares[k], high);
            }
        // Before the stage is filled anew.
        __syncthreads();
    }
    copies_wait<0>();

    float whole[2];
    for (int half = 0; half < 2; half++) {
        total[half] += shuffle_xor(total[half], 1);
        total[half] += shuffle_xor(total[half], 2);
        whole[half] = reciprocal<E>(total[half]);
    }
    // Through the queries' own memory, whose rows here only this warp has read, to store 16 bytes at a time.
    for (int j = 0; j < DEPTH / 8; j++)
        for (int half = 0; half < 2; half++) {
            unsigned char* row = shared + (warp_row + lane / 4 + 8 * half) * PITCH;
            *reinterpret_cast<uint32_t*>(row + 16 * j + lane % 4 * 4) =
                Pair<E>::pack(out[j][2 * half] * whole[half], out[j][2 * half + 1] * whole[half]);
        }
    __syncwarp();
    for (int at = lane; at < 16 * (DEPTH / 8); at += 32) {
        int row = warp_row + at / (DEPTH / 8), piece = at % (DEPTH / 8), query = task.query + row;
        if (query < a.queries && piece * 8 < a.depth) {
            size_t place = size_t(task.picture) * a.q_rows + task.place(a, query);
            pointer<Quad>(a.out)[(place * a.out_stride + task.head * a.depth) / 8 + piece] =
                *reinterpret_cast<const Quad*>(shared + row * PITCH + piece * 16);
        }
    }
}

// In f32; four lanes have a query, each a quarter of its numbers, four by four in turn.
template <int DEPTH> DEVICE void attention32(const Attention& a) {
    SHARED(shared);
    constexpr int QUERIES = THREADS / 4, KEYS = 32, OWN = DEPTH / 16;
    float *keys = reinterpret_cast<float*>(shared), *values = keys + KEYS * DEPTH;
    Task<QUERIES> task(a);
    int query = task.query + threadIdx.x / 4, lane = threadIdx.x % 4;
    bool there = query < a.queries;
    size_t place = size_t(task.picture) * a.q_rows + task.place(a, there ? query : 0);
    const float* bias = task.bias(a);
    float own[OWN][4], out[OWN][4] = {}, largest = -INFINITY, total = 0.f;
    for (int i = 0; i < OWN; i++)
        for (int j = 0; j < 4; j++) {
            int at = 16 * i + 4 * lane + j;
            own[i][j] = at < a.depth ? pointer<const float>(a.q)[place * a.q_stride + task.head * a.depth + at] : 0.f;
        }
    for (int first = 0; first < a.keys; first += KEYS) {
        int count = least(KEYS, a.keys - first);
        __syncthreads();
        for (int at = threadIdx.x; at < count * DEPTH; at += THREADS) {
            int row = at / DEPTH, number = at % DEPTH;
            size_t from = (size_t(task.picture) * a.k_rows + task.place(a, first + row)) * a.k_stride +
                          task.head * a.depth + number;
            keys[at] = number < a.depth ? pointer<const float>(a.k)[from] : 0.f;
            values[at] = number < a.depth ? pointer<const float>(a.v)[from] : 0.f;
        }
        __syncthreads();
        for (int key = 0; key < count; key++) {
            float score = 0.f;
            for (int i = 0; i < OWN; i++)
                for (int j = 0; j < 4; j++) score = fmaf(own[i][j], keys[key * DEPTH + 16 * i + 4 * lane + j], score);
            score += shuffle_xor(score, 1);
            score += shuffle_xor(score, 2);
            score *= a.scale;
            if (bias && there) score += bias[size_t(query) * a.keys + first + key];
            float top = fmaxf(largest, score);
            // Nothing seen yet: weighed by 0, whatever is taken off.
            float base = top == -INFINITY ? 0.f : top;
            float shrink = exp2f((largest - base) * LOG2_E), share = exp2f((score - base) * LOG2_E);
            largest = top;
            total = fmaf(total, shrink, share);
            for (int i = 0; i < OWN; i++)
                for (int j = 0; j < 4; j++)
                    out[i][j] = fmaf(share, values[key * DEPTH + 16 * i + 4 * lane + j], out[i][j] * shrink);
        }
    }
    for (int i = 0; i < OWN; i++)
        for (int j = 0; j < 4; j++) {
            int at = 16 * i + 4 * lane + j;
            if (there && at < a.depth)
                pointer<float>(a.out)[place * a.out_stride + task.head * a.depth + at] = out[i][j] / total;
        }
}

}  // namespace

#define ATTENTION(DEPTH) \
    KERNEL(attention_b16_##DEPTH, Attention, THREADS, 2) { attention16<B16, DEPTH>(a); } \
    KERNEL(attention_f16_##DEPTH, Attention, THREADS, 2) { attention16<F16, DEPTH>(a); } \
    KERNEL(attention_f32_##DEPTH, Attention, THREADS, 2) { attention32<DEPTH>(a); }
ATTENTION(32)
ATTENTION(64)
ATTENTION(96)
ATTENTION(128)

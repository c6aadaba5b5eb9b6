// What libmount asks of libblkid: which file system is on this block device, which device has this label. The node
// program names the type of everything that it mounts, and its sources are no tags; "not found" is the true answer.
#include <blkid.h>

extern "C" {

blkid_probe blkid_new_probe_from_filename(const char*) { return nullptr; }
void blkid_free_probe(blkid_probe) {}
int blkid_probe_enable_superblocks(blkid_probe, int) { return -1; }
int blkid_probe_set_superblocks_flags(blkid_probe, int) { return -1; }
int blkid_probe_enable_partitions(blkid_probe, int) { return -1; }
int blkid_probe_set_partitions_flags(blkid_probe, int) { return -1; }
int blkid_do_safeprobe(blkid_probe) { return -1; }
int blkid_probe_lookup_value(blkid_probe, const char*, const char**, size_t*) { return -1; }
int blkid_known_fstype(const char*) { return 0; }

char* blkid_evaluate_tag(const char*, const char*, blkid_cache*) { return nullptr; }
int blkid_parse_tag_string(const char*, char**, char**) { return -1; }
void blkid_put_cache(blkid_cache) {}

}  // extern "C"

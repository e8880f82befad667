package main

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// envPrefix starts the name of the environment variable of every flag.
const envPrefix = "STRIPELINE_"

// envName is the environment variable of a flag: --log-level is STRIPELINE_LOG_LEVEL.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// complete gives every flag of cmd that was not typed its value from the environment or, failing that, from the config file.
func (a *app) complete(cmd *cobra.Command) error {
	if err := a.fromEnvironment(cmd.Flags()); err != nil {
		return err
	}
	if a.settings.Config == "" {
		return nil
	}
	return fromFile(cmd, a.settings.Config)
}

func (a *app) fromEnvironment(flags *pflag.FlagSet) error {
	var all []error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := a.env(envName(f.Name))
		if !ok || value == "" || f.Changed || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			all = append(all, usagef("%s is %q: give it a value that --%s would take", envName(f.Name), value, f.Name))
		}
	})
	return errors.Join(all...)
}

// fromFile reads a mapping of flag name to value. A key whose value is a mapping is the section of one verb, such as "produce csv".
// Section keys win over keys at the top; a key that is no flag of any verb is an error.
func fromFile(cmd *cobra.Command, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return usagef("read config file: %w: name an existing file with --config", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return usagef("config file %s: %s: mend its YAML", name, oneLine(err))
	}
	if len(doc.Content) == 0 {
		return nil
	}
	section := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return usagef("config file %s: line %d: expected \"flag: value\" lines", name, top.Line)
	}
	file := configFile{name: name, cmd: cmd}
	for i := 0; i+1 < len(top.Content); i += 2 {
		if key, value := top.Content[i], top.Content[i+1]; value.Kind == yaml.MappingNode && key.Value == section {
			if err := file.apply(value); err != nil {
				return err
			}
		}
	}
	return file.apply(top)
}

type configFile struct {
	name string
	cmd  *cobra.Command
}

// apply sets what neither the command line nor the environment nor an earlier call has set.
func (c configFile) apply(node *yaml.Node) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if value.Kind == yaml.MappingNode {
			if found, _, err := c.cmd.Root().Find(strings.Fields(key.Value)); err != nil || found == c.cmd.Root() {
				return usagef("config file %s: line %d: %q is no verb: see 'stripeline --help'", c.name, key.Line, key.Value)
			}
			continue
		}
		f := c.cmd.Flags().Lookup(key.Value)
		if f == nil {
			if anyVerbHas(c.cmd.Root(), key.Value) {
				continue
			}
			return usagef("config file %s: line %d: %q is no flag: see 'stripeline --help'", c.name, key.Line, key.Value)
		}
		if f.Changed {
			continue
		}
		if err := set(c.cmd.Flags(), f, value); err != nil {
			return usagef("config file %s: line %d: %q does not fit --%s: mend it", c.name, value.Line, scalar(value), f.Name)
		}
	}
	return nil
}

// set gives a flag the value of a YAML node. The items of a list are those of a flag that may be given again, whatever is in them.
func set(flags *pflag.FlagSet, f *pflag.Flag, node *yaml.Node) error {
	list, ok := f.Value.(pflag.SliceValue)
	if !ok || node.Kind != yaml.SequenceNode {
		return flags.Set(f.Name, scalar(node))
	}
	f.Changed = true
	return list.Replace(items(node))
}

// scalar is the text of a YAML value as a flag takes it: a list becomes a comma-separated one.
func scalar(node *yaml.Node) string {
	if node.Kind != yaml.SequenceNode {
		return node.Value
	}
	return strings.Join(items(node), ",")
}

func items(node *yaml.Node) []string {
	items := make([]string, len(node.Content))
	for i, item := range node.Content {
		items[i] = item.Value
	}
	return items
}

func anyVerbHas(cmd *cobra.Command, flag string) bool {
	if cmd.Flags().Lookup(flag) != nil || cmd.PersistentFlags().Lookup(flag) != nil {
		return true
	}
	return slices.ContainsFunc(cmd.Commands(), func(child *cobra.Command) bool { return anyVerbHas(child, flag) })
}

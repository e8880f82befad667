package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versionVerb prints what was built, from what, with what.
func versionVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of this program", Args: cobra.NoArgs,
		Example: examples("version", "version --json"),
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			return a.output.emit(v, func(w io.Writer) {
				fmt.Fprintf(w, "stripeline %s (%s, %s/%s)\n", v["version"], v["go"], runtime.GOOS, runtime.GOARCH)
			})
		},
	}
}

func buildVersion() map[string]string {
	v := map[string]string{"version": "devel", "go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v["version"] = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v["revision"] = s.Value
		}
	}
	return v
}
